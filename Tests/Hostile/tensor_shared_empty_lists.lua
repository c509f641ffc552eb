-- ends: cpu_limit
local tensor = require "tensor"
local x = {}
for _ = 1, 9 do x = { x, x, x, x, x, x, x, x, x, x } end
return #tensor.new(x)
