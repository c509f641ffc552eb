local chain = require "chain"
local t = chain.types

local A, B

A = chain.chainlet "A" {
  needs = { b = B },
}

function A:run() return self.b {} end

B = chain.chainlet "B" {
  needs = { a = A },
}

function B:run() return self.a {} end

return A
