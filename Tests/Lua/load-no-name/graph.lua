local chain = require "chain"
local t = chain.types

local A = chain.chainlet { input = {} }

return A
