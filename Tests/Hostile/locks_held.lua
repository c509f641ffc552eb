-- returns: 1
-- limits: memory = "64MB"
for i = 1, 100000 do chain.mutex():lock() end
return 1
