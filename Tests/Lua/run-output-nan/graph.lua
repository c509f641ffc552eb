local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.list(t.number),
}

function Main:run(req)
  return { 0 / 0 }
end

return Main
