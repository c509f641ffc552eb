local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
}

function Main:run(req)
  error(chain.failure { code = "x", mesage = "y" })
end

return Main
