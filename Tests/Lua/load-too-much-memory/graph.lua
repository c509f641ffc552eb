local chain = require "chain"
local t = chain.types

local all = {}
for i = 1, math.huge do all[i] = ("x"):rep(100000) .. i end
