-- ends: bad_output
return { x = 1 / 0 }
