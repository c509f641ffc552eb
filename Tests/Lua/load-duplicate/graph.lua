local chain = require "chain"
local t = chain.types

local A = chain.chainlet "Hello" {}

function A:run() end

local B = chain.chainlet "Hello" {}

function B:run() end

return { a = A, b = B }
