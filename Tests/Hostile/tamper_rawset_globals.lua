-- error: read-only
rawset(_G, "x", 1)
