local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = { a = t.string { pattern = "^%d+$", default = "ten" }, b = t.list(t.string { pattern = "x" }) { default = { "x", "y" } } },
}

function Hello:run(req)
  return req.name
end

return Hello
