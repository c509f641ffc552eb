-- error: attempt to index a string value
("x").rep = 1
