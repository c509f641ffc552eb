-- error: the error value is a table
error(setmetatable({}, { __index = function() while true do end end }))
