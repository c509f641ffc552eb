-- error: resulting string too large
return #string.pack(("c9000000 "):rep(2), "x", "y")
