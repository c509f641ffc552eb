local chain = require "chain"
local t = chain.types

local A = chain.chainlet "Hello" {}

function A:run(req)
  if req then return 1

return A
