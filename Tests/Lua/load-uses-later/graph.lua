local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
  uses = { encoder = chain.model { path = "x.onnx" } },
}

function Hello:run(req)
  return req.name
end

return Hello
