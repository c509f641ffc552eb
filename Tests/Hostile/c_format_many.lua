-- error: resulting string too large
-- limits: memory = "128MB"
return #("%s"):rep(40):format(table.unpack((function() local t = {} for i = 1, 40 do t[i] = ("x"):rep(1000000) .. i end return t end)()))
