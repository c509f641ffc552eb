-- error: too long
table.remove(setmetatable({}, { __len = function() return 1 << 40 end, __index = rawlen, __newindex = rawlen }), 1)
