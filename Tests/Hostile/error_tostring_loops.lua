-- error: the error value is a table
error(setmetatable({}, { __tostring = function() while true do end end }))
