local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
  limits = { cpu = 300 },
}

function Main:run(req)
  local function f(n) return 1 + f(n + 1) end
  return f(1)
end

return Main
