-- returns: [1.0]
local tensor = require "tensor"
return tensor.ones { 10 }:slice(1, 10, 1, math.maxinteger):table()
