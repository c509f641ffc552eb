-- ends: cpu_limit
local tensor = require "tensor"
local x = tensor.ones({ 2000, 2000 }, "int8")
return x:matmul(x):sum()
