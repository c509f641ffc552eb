-- ends: cpu_limit
-- limits: memory = "64MB"
local p = {}
for i = 1, 199999 do p[i] = "" end
for _ = 1, 1990 do p = setmetatable({}, { __index = p }) end
while true do table.concat(p, "", 1, 199999) end
