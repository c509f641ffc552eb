-- ends: cpu_limit
local mt = {}
mt.__add = function(a, b) return a end
local t = setmetatable({}, mt)
while true do t = t + 1 end
