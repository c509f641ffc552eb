-- ends: cpu_limit
-- limits: memory = "64MB"
while true do ("a"):rep(10000):gsub("()", ("%1"):rep(100)) end
