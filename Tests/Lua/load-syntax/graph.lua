local chain = require "chain"
local t = chain.types

local A = chain.chainlet "Hello" {
  input = { name t.string },
}

return A
