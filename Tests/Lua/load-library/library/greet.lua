local chain = require "chain"
local t = chain.types

return chain.chainlet "Greet" {}
