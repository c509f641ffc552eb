-- ends: cpu_limit
-- limits: memory = "64MB"
-- A function of the host, called by the sort itself, some milliseconds for each comparison.
local list, mt = {}, { __lt = require("json").encode }
local big = {}
for i = 1, 20000 do big[i] = i end
for i = 1, 3000 do list[i] = setmetatable({ big }, mt) end
table.sort(list)
