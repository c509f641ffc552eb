-- ends: cpu_limit
while true do for _ in ("a b c"):gmatch("%a") do end end
