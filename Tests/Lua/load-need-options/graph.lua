local chain = require "chain"
local t = chain.types

local SayHello = chain.chainlet "SayHello" { input = { name = t.string }, output = t.string }

function SayHello:run(req) return req.name end

local Hello = chain.chainlet "Hello" {
  input = { name = t.string },
  needs = { a = SayHello:with { timeot = 3, retries = -1 }, b = SayHello.with { timeout = 3 }, c = SayHello:with(3) },
}

function Hello:run(req)
  return req.name
end

return Hello
