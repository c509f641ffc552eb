local chain = require "chain"
local t = chain.types

local Giver = chain.chainlet "Giver" { input = {}, output = t.string }

function Giver:run(req)
  return ("x"):rep(4000000)
end

local Main = chain.chainlet "Main" { input = {}, needs = { giver = Giver }, limits = { memory = "1MB" } }

function Main:run(req)
  local text = self.giver {}
  return #text
end

return Main
