-- ends: memory_limit
local t = {}
for i = 1, 15 do t[i] = ("x"):rep(1000000) end
return #table.concat(t)
