-- ends: bad_output
return { [1.5] = 1 }
