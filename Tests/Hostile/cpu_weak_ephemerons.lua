-- ends: cpu_limit
local mt = {}
local t = setmetatable({}, mt)
mt.__mode = "k"
while true do local k = {} t[k] = { k } end
