local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
}

function Main:run(req)
  return chain.race { a = function() error("first") end, b = function() error("second") end }
end

return Main
