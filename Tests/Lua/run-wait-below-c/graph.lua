local chain = require "chain"
local t = chain.types

local SayHello = chain.chainlet "SayHello" {
  input = { name = t.string },
  output = t.string,
}

function SayHello:run(req)
  return "Hello, " .. req.name
end

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
  needs = { say_hello = SayHello },
}

function Main:run(req)
  local lazy = setmetatable({}, { __lt = function()
    return self.say_hello { name = "x" }
  end })
  return math.max(lazy, lazy) ~= nil
end

return Main
