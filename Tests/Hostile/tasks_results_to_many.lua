-- error: chain.async: expected at most 250 results, got 200000
local task = chain.async(function() chain.sleep(0.05) return table.unpack({}, 1, 200000) end)
local list = {}
for i = 1, 300 do list[i] = i end
chain.each(list, function() task:await() end, { limit = 300 })
