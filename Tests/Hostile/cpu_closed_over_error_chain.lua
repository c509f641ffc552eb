-- ends: cpu_limit
local function boom() local x <close> = setmetatable({}, { __close = function() error("again") end }) error("first") end
while true do pcall(boom) end
