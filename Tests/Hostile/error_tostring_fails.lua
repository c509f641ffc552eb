-- error: the error value is a table
error(setmetatable({}, { __tostring = function() error("again") end, __name = "X" }))
