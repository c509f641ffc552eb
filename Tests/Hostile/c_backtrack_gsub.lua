-- ends: cpu_limit
return ("a"):rep(300):gsub(("(.-)"):rep(8) .. "b", "x")
