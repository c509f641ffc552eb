local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
}

function Main:run(req)
  local settings = nil
  return settings.depth
end

return Main
