local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = { number = t.integer },
  output = t.integer,
}

function Main:run(req)
  return req.number
end

return Main
