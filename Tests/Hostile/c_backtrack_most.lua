-- ends: cpu_limit
return ("a"):rep(300):match(("a*"):rep(8) .. "b")
