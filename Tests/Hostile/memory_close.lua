-- ends: memory_limit
local t = {}
local function grow() while true do t[#t + 1] = {} end end
local guard <close> = setmetatable({}, { __close = grow })
grow()
