-- ends: cpu_limit
return table.concat(setmetatable({}, { __len = function() return 9 end, __index = function() while true do end end }))
