local chain = require "chain"
local t = chain.types

local A = chain.chanlet "Hello" {}

function A:run() end

return A
