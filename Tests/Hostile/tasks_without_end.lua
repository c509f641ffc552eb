-- error: limits.tasks
-- limits: tasks = 100, memory = "64MB"
local function task() return chain.async(task) end
local t = {}
while true do t[#t + 1] = chain.async(function() chain.sleep(60) end) end
