-- ends: cpu_limit
local function f(...) return select("#", ...) end
while true do f(table.unpack({}, 1, 1000)) end
