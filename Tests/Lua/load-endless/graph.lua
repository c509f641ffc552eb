local chain = require "chain"
local t = chain.types

while true do end
