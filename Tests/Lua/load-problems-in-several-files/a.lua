local A = = 1
