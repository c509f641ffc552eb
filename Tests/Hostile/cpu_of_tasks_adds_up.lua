-- ends: cpu_limit
while true do pcall(chain.async(function() for _ = 1, 20000 do end error("x") end).await) pcall(chain.map, { 1, 2 }, function() for _ = 1, 20000 do end error("x") end) end
