-- ends: cpu_limit
while true do chain.try(function() while true do end end) end
