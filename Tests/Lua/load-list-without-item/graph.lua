local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = { names = t.list },
  output = t.list(),
}

function Hello:run(req)
  return req.name
end

return Hello
