-- ends: bad_output
return { 1, 2, x = 3 }
