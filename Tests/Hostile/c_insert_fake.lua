-- error: too long
table.insert(setmetatable({}, { __len = function() return 1 << 40 end, __index = rawlen, __newindex = rawlen }), 1, 0)
