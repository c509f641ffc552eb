local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" { input = {}, output = t.list(t.integer), limits = { nodes = 10 } }

function Main:run(req)
  local list = {}
  for i = 1, 20 do list[i] = i end
  return list
end

return Main
