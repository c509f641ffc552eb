local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
}

function Main:run(req)
  return chain.map({ 1, 2, 3 }, function(i)
    if i == 2 then error("item " .. i .. " is broken") end
    return i
  end)
end

return Main
