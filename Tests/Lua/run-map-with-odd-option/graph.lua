local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
}

function Main:run(req)
  return chain.map({ 1 }, function(i) return i end, { limt = 3 })
end

return Main
