-- ends: memory_limit
local tensor = require "tensor"
local x, list = tensor.ones({ 1000, 1000 }):transpose(), {}
for i = 1, 1000 do list[i] = x end
return #tensor.concat(list)
