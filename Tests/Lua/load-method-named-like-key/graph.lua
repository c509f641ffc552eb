local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
}

function Hello:input(req) end

Hello.output = t.string

function Hello:run(req) end

return Hello
