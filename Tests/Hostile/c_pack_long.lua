-- error: format is too long
-- limits: memory = "64MB"
return #string.pack(("x"):rep(16000000))
