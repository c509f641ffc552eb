-- ends: cpu_limit
while true do end
