-- ends: timeout
-- limits: time = 0.2, cpu = 5
return ("a"):rep(300):find((".-"):rep(8) .. "b")
