-- ends: cpu_limit
local co = coroutine.wrap(function() table.sort({ 5, 4, 3, 2, 1 }, function(a, b) coroutine.yield() return a < b end) end)
co()
while true do pcall(co) end
