-- ends: memory_limit
local text = ("x"):rep(1000000)
local list = {}
for i = 1, 3000 do list[i] = i end
return #chain.settle(list, function() error(chain.failure { code = "x", message = "m", details = { text } }) end)
