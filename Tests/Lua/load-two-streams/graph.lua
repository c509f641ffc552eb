local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = { a = t.stream(t.string), b = t.stream(t.bytes) },
}

function Hello:run(req)
  return req.name
end

return Hello
