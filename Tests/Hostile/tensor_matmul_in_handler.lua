-- error: too much work at once
local tensor = require "tensor"
local x = tensor.ones({ 1000, 1000 }, "int8")
local _, problem = xpcall(error, function() return select(2, pcall(x.matmul, x, x)) end)
error(problem, 0)
