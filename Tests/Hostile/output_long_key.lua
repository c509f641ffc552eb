-- ends: bad_output
return { [("k"):rep(5000)] = 1 }
