local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  limits = { time = 0.5 },
}

function Main:run(req)
  chain.sleep(10)
end

return Main
