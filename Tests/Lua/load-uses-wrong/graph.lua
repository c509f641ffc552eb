local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
  uses = { encoder = "x.onnx", other = chain.model "x.onnx", third = chain.store { f = print } },
}

function Hello:run(req)
  return req.name
end

return Hello
