-- error: the first of many
-- limits: memory = "64MB"
local text = ("x"):rep(1000000)
for i = 1, 300 do
  chain.async(function() error(chain.failure { code = "x", message = i == 1 and "the first of many" or "m", details = { text } }) end)
  chain.sleep(0)
end
