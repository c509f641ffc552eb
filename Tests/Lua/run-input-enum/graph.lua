local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = { mode = t.enum { "fast", "slow" } },
  output = t.string,
}

function Main:run(req)
  return req.mode
end

return Main
