-- error: resulting string too large
-- limits: memory = "64MB"
return #("a"):rep(1000000):gsub("", ("x"):rep(1000))
