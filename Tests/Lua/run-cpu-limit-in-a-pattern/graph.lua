local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" { input = {}, limits = { cpu = 0.2 } }

function Main:run(req)
  local text = ("a"):rep(5000)
  return text:find(".-.-.-.-b")
end

return Main
