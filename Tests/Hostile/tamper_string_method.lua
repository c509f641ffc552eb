-- error: 
("x").rep = 1
