local chain = require "chain"
local t = chain.types

local SayHello = chain.chainlet "SayHello" { input = { name = t.string }, output = t.string }

function SayHello:run(req) return req.name end

local Hello = chain.chainlet "Hello" {
  input = { name = t.string },
  needs = { say_hello = SayHello, tools = { greet = SayHello } },
}

function Hello:run(req)
  return self:say_hello { name = req.name } .. self.tools:greet { name = req.name }
end

return Hello
