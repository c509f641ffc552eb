-- ends: cpu_limit
-- limits: memory = "64MB"
-- Each element is looked for in 1,990 tables.
local p = {}
for _ = 1, 1990 do p = setmetatable({}, { __index = p }) end
while true do table.unpack(p, 1, 199999) end
