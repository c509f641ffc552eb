local chain = require "chain"
local t = chain.types

local A = chain.chainlet "Say hello" {}

function A:run() end

return A
