local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
}

function Main:run(req)
  return 1
end

return Main
