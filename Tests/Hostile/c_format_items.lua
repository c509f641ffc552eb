-- error: too many values to format
-- limits: memory = "128MB", cpu = 5
return #("%99.99f"):rep(100000):format(table.unpack((function() local t = {} for i = 1, 100000 do t[i] = 1e308 end return t end)()))
