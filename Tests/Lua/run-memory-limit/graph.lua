local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  limits = { memory = "2MB" },
}

function Main:run(req)
  local t = {}
  while true do t[#t + 1] = {} end
end

return Main
