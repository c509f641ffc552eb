-- ends: cpu_limit
while true do ("a"):rep(30000):find(".-b") end
