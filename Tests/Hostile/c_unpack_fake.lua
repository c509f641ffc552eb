-- error: too long
-- limits: memory = "64MB"
return select("#", table.unpack(setmetatable({}, { __index = rawlen }), 1, 300000))
