local chain = require "chain"
local t = chain.types

local B = chain.chainlet "B" { needs = { b = "B" } }

function B:run() return B:run() end

return B
