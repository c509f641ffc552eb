local chain = require "chain"
local t = chain.types

chain.log.info("loading")

local Hello = chain.chainlet "Hello" {}

function Hello:run() end

return Hello
