-- ends: cpu_limit
local guard <close> = setmetatable({}, { __close = function() while true do chain.sleep(5) end end })
while true do end
