-- error: '__call' chain too long
-- D8: a table that is its own __call.
local t = {}
setmetatable(t, { __call = t })
t()
