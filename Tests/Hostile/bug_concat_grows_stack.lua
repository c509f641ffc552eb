-- returns: "ok"
-- D1: a __concat metamethod that grows the stack during a long concatenation.
local function grow(n) if n == 0 then return "" end return grow(n - 1) .. "" end
local t = setmetatable({}, { __concat = function(a, b) grow(150) return type(a) == "string" and a or type(b) == "string" and b or "" end })
for _ = 1, 50 do local _ = t .. "a" .. t .. "b" .. t .. "c" .. t .. "d" .. t end
return "ok"
