local chain = require "chain"
local t = chain.types

local A = chain.remote "Hello" { url = "http://x" }

return A
