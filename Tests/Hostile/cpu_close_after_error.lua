-- ends: cpu_limit
local guard <close> = setmetatable({}, { __close = function() while true do end end })
error("now")
