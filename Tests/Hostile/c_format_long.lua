-- error: format is too long
-- limits: memory = "64MB"
return #("%%"):rep(8000000):format()
