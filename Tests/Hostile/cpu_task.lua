-- ends: cpu_limit
chain.map({ 1, 2, 3 }, function() while true do end end)
