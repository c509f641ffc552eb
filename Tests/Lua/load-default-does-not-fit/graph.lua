local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = { n = t.integer { default = "ten" }, e = t.enum { "a" } { default = "b" }, s = t.string { max = 2, default = "long" } },
}

function Hello:run(req)
  return req.name
end

return Hello
