-- returns: "sorted"
local t = { 5, 4, 3, 2, 1 }
pcall(table.sort, t, function(a, b) t[#t + 1] = 1 return (a or 0) < (b or 0) end)
return "sorted"
