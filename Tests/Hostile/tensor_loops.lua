-- ends: cpu_limit
local tensor = require "tensor"
local x = tensor.range(1, 400000, 1, "float32")
while true do x:top_k(1000) x:cast("float16"):exp() tensor.stack({ x, x }):sum(1) end
