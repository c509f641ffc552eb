-- returns: "ok"
local t = {}
for i = 1, 200 do local x <close> = nil t[i] = function() return x end end
return "ok"
