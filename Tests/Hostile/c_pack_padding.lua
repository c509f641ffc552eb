-- error: resulting string too large
return #string.pack("c2147483647", "x")
