local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = { n = t.integer },
  output = t.integer,
}

function Main:run(req)
  return 1
end

return Main
