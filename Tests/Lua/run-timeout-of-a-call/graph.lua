local chain = require "chain"
local t = chain.types

local Slow = chain.chainlet "Slow" { input = {} }

function Slow:run(req)
  chain.sleep(10)
end

local Main = chain.chainlet "Main" { input = {}, needs = { slow = Slow:with { timeout = 0.5 } } }

function Main:run(req)
  self.slow {}
end

return Main
