-- returns: "quick"
-- limits: memory = "64MB"
local all = { quick = function() chain.sleep(0.2) return 1 end }
for i = 1, 3500 do all["k" .. i] = function() chain.sleep(100) end end
return (chain.race(all))
