local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" { input = {} }

function Main:run(req)
  chain.timeout(0.5, function()
    chain.sleep(10)
  end)
end

return Main
