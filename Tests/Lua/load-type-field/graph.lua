local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = { name = t.string:optional() },
}

function Hello:run(req)
  return req.name
end

return Hello
