local chain = require "chain"
local t = chain.types

local Hoard = chain.chainlet "Hoard" { input = {}, limits = { memory = "1MB" } }

function Hoard:run(req)
  local all = {}
  for text in coroutine.wrap(function()
    for i = 1, 1e9 do
      coroutine.yield(("x"):rep(1000) .. i)
    end
  end) do
    all[#all + 1] = text
  end
end

local Main = chain.chainlet "Main" { input = {}, needs = { hoard = Hoard } }

function Main:run(req)
  self.hoard {}
end

return Main
