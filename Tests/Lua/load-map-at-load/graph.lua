local chain = require "chain"
local t = chain.types

local words = chain.map({ 1, 2 }, function(n) return n end)

return words
