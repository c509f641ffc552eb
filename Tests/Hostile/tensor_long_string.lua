-- error: more than a string may have
-- limits: memory = "64MB"
local tensor = require "tensor"
return #tensor.zeros({ 20000000 }, "int8"):bytes()
