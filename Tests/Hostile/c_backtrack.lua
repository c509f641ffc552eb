-- ends: cpu_limit
return ("a"):rep(300):find((".-"):rep(8) .. "b")
