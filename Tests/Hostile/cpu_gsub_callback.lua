-- ends: cpu_limit
return ("abc"):gsub(".", function() while true do end end)
