local chain = require "chain"
local t = chain.types

local A = chain.chainlet("Hello", { input = {} })

function A:run() end

return A
