-- error: read-only
rawset(string, "rep", 1)
