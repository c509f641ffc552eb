-- error: format is too long
-- limits: memory = "64MB"
return string.unpack(("x"):rep(16000000), ("x"):rep(16000000))
