-- ends: cpu_limit
-- limits: memory = "64MB"
local big, values, json = {}, {}, require "json"
for i = 1, 20000 do big[i] = i end
local mt = { __tostring = function() return #json.encode(big) end }
for i = 1, 9000 do values[i] = setmetatable({}, mt) end
return #("%s"):rep(9000):format(table.unpack(values))
