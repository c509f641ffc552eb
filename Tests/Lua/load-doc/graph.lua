local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
  doc = 7,
}

function Hello:run(req)
  return req.name
end

return Hello
