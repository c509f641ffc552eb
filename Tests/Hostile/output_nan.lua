-- ends: bad_output
return 0 / 0
