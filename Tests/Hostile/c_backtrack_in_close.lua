-- ends: cpu_limit
local guard <close> = setmetatable({}, { __close = function() return ("a"):rep(300):find((".-"):rep(8) .. "b") end })
while true do end
