local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
}

function Hello:run() end

function Hello:save() end

return Hello
