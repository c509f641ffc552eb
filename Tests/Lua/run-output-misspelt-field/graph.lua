local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = { title = t.string },
}

function Main:run(req)
  return { titel = "x" }
end

return Main
