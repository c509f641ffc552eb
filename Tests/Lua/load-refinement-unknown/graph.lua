local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = { name = t.string { mni = 1 }, n = t.integer { pattern = "x" } },
}

function Hello:run(req)
  return req.name
end

return Hello
