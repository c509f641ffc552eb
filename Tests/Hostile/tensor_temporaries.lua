-- ends: memory_limit
local tensor = require "tensor"
local x = tensor.ones { 1500, 1500 }
return (x / 2):sum()
