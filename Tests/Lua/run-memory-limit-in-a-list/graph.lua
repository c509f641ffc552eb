local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" { input = {}, limits = { memory = "1536KB" } }

function Main:run(req)
  local all = {}
  local function fill()
    for i = 1, 1e9 do
      all[i] = i
    end
  end
  pcall(fill)
end

return Main
