-- ends: memory_limit
local mt = {}
local t = setmetatable({}, mt)
mt.__mode = "k"
local keep = {}
while true do local k = {} keep[#keep + 1] = k t[k] = { k } end
