local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = { s = t.string { max = 3 } },
  output = t.string,
}

function Main:run(req)
  return req.s
end

return Main
