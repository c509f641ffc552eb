local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.string,
  limits = { output = 64 },
}

function Main:run(req)
  return ("x"):rep(100)
end

return Main
