-- error: nil value
-- limits: memory = "128MB"
local names, behind = {}, {}
for i = 1, 100000 do names["detail" .. i], behind["other" .. i] = i, i end
setmetatable(names, { __index = behind })
for i = 1, 50 do pcall(function() names.detailx() end) end
names.otherx()
