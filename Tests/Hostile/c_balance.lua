-- ends: cpu_limit
return ("("):rep(1000000):find("%b()")
