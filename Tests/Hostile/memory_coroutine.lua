-- ends: memory_limit
local t = {}
while true do coroutine.wrap(function() for i = 1, 1000 do t[#t + 1] = { i } end end)() end
