-- ends: cpu_limit
chain.async(function() while true do end end)
chain.sleep(1)
