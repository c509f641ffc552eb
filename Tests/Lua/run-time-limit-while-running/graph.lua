local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" { input = {}, limits = { time = 0.5, cpu = 60 } }

function Main:run(req)
  local function spin()
    while true do end
  end
  spin()
end

return Main
