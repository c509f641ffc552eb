local chain = require "chain"
local t = chain.types

local Name, Answer, Later

local A = chain.chainlet "A" {
  input = { name = Name, age = t.integer, other = t.string },
  output = Answer,
  needs = { later = Later },
}

function A:run() end

return A
