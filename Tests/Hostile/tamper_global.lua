-- error: globals are sealed
leak = 1
