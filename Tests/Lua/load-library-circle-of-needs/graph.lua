local chain = require "chain"
local t = chain.types

local shared = require "shared"
local A = chain.chainlet "A" { needs = { b = shared } }

function A:run() end

return A
