local chain = require "chain"
local t = chain.types

local A = chain.chainlet "A" { input = {}, output = t.integer }

function A:run() return 1 end

local B = chain.chainlet "B" { input = {}, output = t.integer, needs = { a = A }, limits = { depth = 1 } }

function B:run() return self.a {} end

local C = chain.chainlet "C" { input = {}, output = t.integer, needs = { b = B } }

function C:run() return self.b {} end

return C
