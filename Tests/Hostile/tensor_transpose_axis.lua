-- error: there is no axis -9223372036854775808
local tensor = require "tensor"
return tensor.ones { 2, 2 }:transpose(math.mininteger, 1)
