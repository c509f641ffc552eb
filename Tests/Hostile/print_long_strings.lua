-- returns: 1
-- limits: memory = "64MB"
local long, list = ("x"):rep(15000000), {}
for i = 1, 300 do list[i] = long end
for _ = 1, 20 do
  print(table.unpack(list))
  chain.log.debug(long, long, long)
end
return 1
