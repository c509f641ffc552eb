local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
  batch = { max_size = 0 },
}

function Hello:run(req)
  return req.name
end

return Hello
