local chain = require "chain"
local t = chain.types

local a = require "a"
local b = require "b"

local Hello = chain.chainlet "Hello" { needs = { a = a.A, b = b }, inptu = {} }

function Hello:run() end

return Hello
