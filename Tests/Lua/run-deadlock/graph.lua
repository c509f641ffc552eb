local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" { input = {} }

function Main:run(req)
  local mutex = chain.mutex()
  local one <close> = mutex:lock()
  local two <close> = mutex:lock()
end

return Main
