local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = { name = t.string { min = 9, max = 3 }, n = t.integer { min = 0.5 } },
}

function Hello:run(req)
  return req.name
end

return Hello
