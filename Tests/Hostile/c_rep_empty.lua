-- returns: 0
return #("").rep("", 1 << 53)
