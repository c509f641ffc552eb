local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
}

function Main:run(req)
  local n = { count = 1 }
  return n.cuont + 1
end

return Main
