local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  limits = { cpu = 0.2 },
}

function Main:run(req)
  while true do end
end

return Main
