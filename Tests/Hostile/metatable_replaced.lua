-- error: cannot change a metatable
-- An all-weak table that gets a new metatable in mid-cycle keeps a freed one, in Lua 5.4.8 too.
local mt = {}
local t = setmetatable({}, mt)
mt.__mode = "kv"
for i = 1, 100 do t[i] = {} end
setmetatable(t, nil)
