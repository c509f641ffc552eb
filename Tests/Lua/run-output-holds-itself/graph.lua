local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
}

function Main:run(req)
  local loop = {}
  loop.loop = loop
  return loop
end

return Main
