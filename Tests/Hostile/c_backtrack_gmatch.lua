-- ends: cpu_limit
for _ in ("a"):rep(300):gmatch(("(.-)"):rep(8) .. "b") do end
