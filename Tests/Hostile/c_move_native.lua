-- ends: cpu_limit
-- limits: memory = "64MB"
local big = {}
for i = 1, 20000 do big[i] = i end
table.move(setmetatable(big, { __index = require("json").encode }), 20001, 40000, 1, {})
