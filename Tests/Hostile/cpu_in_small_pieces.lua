-- ends: cpu_limit
while true do for _ = 1, 20000 do end chain.sleep(0) end
