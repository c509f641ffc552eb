local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.string,
}

function Main:run(req)
  return { 1, 2 }
end

return Main
