local chain = require "chain"
local t = chain.types

coroutine.yield(1)
