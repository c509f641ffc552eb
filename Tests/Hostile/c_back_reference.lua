-- ends: cpu_limit
return ("a"):rep(100000):find("(a*)%1b")
