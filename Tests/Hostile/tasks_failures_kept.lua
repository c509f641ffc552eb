-- ends: memory_limit
local text = ("x"):rep(1000000)
local tasks = {}
for i = 1, 3000 do
  tasks[i] = chain.async(function() error(chain.failure { code = "x", message = "m", details = { text } }) end)
  chain.sleep(0)
end
