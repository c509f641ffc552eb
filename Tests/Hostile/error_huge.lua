-- error: xxxxxxxx
error(("x"):rep(4000000), 0)
