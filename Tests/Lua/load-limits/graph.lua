local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
  limits = { memry = "64MB", time = -1, depth = 1.5, output = true },
  scaling = { concurency = 1, queue = "long" },
}

function Hello:run(req)
  return req.name
end

return Hello
