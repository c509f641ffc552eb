-- error: too many coroutines: limits.coroutines is 1000
-- limits: memory = "64MB", coroutines = 1000
local t = {}
while true do t[#t + 1] = coroutine.create(function() end) end
