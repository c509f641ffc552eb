-- error: resulting string too large
return ("").rep("", 1 << 30, "x")
