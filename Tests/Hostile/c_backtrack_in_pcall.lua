-- ends: cpu_limit
while true do pcall(string.find, ("a"):rep(300), (".-"):rep(8) .. "b") end
