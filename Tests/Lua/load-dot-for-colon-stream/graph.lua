local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
  output = t.stream(t.string),
}

function Hello.run(req, emit)
  emit("x")
end

return Hello
