-- ends: cpu_limit
return ("a"):rep(200000):find("%f[" .. ("b"):rep(200000) .. "]")
