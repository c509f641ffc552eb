-- error: \27[31mred\0
error("\27[31mred\0", 0)
