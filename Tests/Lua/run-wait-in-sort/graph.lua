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
  local list = { 3, 1, 2 }
  table.sort(list, function(a, b)
    self.say_hello { name = "x" }
    return a < b
  end)
  return list
end

return Main
