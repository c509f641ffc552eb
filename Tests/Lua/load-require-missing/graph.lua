local chain = require "chain"
local t = chain.types

local a = require "steps.missing"
local b = require "jsn"

return a.Hello
