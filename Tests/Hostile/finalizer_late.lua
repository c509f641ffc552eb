-- returns: "quiet"
local mt = {}
for _ = 1, 1000 do setmetatable({}, mt) end
mt.__gc = function() while true do end end
for _ = 1, 1000 do pcall(setmetatable, {}, mt) end
return "quiet"
