-- error: bad
error("bad \xff\xfe", 0)
