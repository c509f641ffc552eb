local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = { x = t.tensor("float", { "n" }), y = t.tensor("float32") },
}

function Hello:run(req)
  return req.name
end

return Hello
