local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
}

function Main:run(req)
  return chain.map(7, function(i) return i end)
end

return Main
