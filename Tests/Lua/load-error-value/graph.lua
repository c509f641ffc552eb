local chain = require "chain"
local t = chain.types

error { code = 7 }
