-- ends: cpu_limit
while true do local _ = "10" + 1 end
