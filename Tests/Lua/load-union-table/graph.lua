local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = { name = t.union { t.string, t.integer } },
}

function Hello:run(req)
  return req.name
end

return Hello
