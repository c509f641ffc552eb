local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
}

function Hello:rnu(req) end

return Hello
