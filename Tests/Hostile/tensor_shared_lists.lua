-- ends: memory_limit
local tensor = require "tensor"
local x = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }
for _ = 1, 8 do x = { x, x, x, x, x, x, x, x, x, x } end
return #tensor.new(x)
