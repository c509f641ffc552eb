-- returns: "kept"
pcall(table.sort, string)
return string.rep and "kept"
