local chain = require "chain"
local t = chain.types

local A = chain.chainlet "Hello" {}

count = 0

function A:run(req)
  count = count + 1
  helper(req)
  local n = tosring(count)
  return io.open(n), selff, jsn
end

local function helper() end

function other() end

return A
