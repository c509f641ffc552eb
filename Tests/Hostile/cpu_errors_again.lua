-- ends: cpu_limit
while true do pcall(error, { 1 }) end
