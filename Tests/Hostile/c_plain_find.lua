-- returns: null
-- limits: memory = "64MB"
return ("a"):rep(8000000):find(("a"):rep(4000000) .. "b", 1, true)
