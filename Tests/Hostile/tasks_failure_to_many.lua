-- returns: null
local text = ("x"):rep(1000000)
local task = chain.async(function() chain.sleep(0.05) error(chain.failure { code = "x", details = { text } }) end)
local list, kept = {}, {}
for i = 1, 1000 do list[i] = i end
chain.each(list, function(i) kept[i] = select(2, pcall(task.await, task)) end, { limit = 1000 })
