local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
  uses = { db = chain.sqlite { path = "x.db" } },
}

function Hello:run(req)
  return req.name
end

return Hello
