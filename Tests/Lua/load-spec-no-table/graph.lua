local chain = require "chain"
local t = chain.types

local A = chain.chainlet "Hello" (t.string)

function A:run() end

return A
