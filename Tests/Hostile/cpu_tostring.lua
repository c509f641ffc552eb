-- ends: cpu_limit
return tostring(setmetatable({}, { __tostring = function() while true do end end }))
