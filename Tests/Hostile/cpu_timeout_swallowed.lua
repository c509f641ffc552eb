-- ends: cpu_limit
while true do pcall(chain.timeout, 0.01, function() while true do end end) end
