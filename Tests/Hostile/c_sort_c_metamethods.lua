-- returns: "sorted"
-- limits: cpu = 5
-- The VM never runs: every function here is C.
table.sort(setmetatable({}, { __len = function() return 20000 end, __index = rawlen, __newindex = rawequal }), math.ult)
return "sorted"
