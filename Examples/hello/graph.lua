-- A fan-out: HelloAll asks SayHello once for each name, all at once, and joins the lines in order.
--   scripts/chainrun Examples/hello/graph.lua names='["Ada","Grace"]'
local chain = require "chain"
local t = chain.types

local SayHello = chain.chainlet "SayHello" {
  doc    = "Greets one person.",
  input  = { name = t.string },
  output = t.string,
}

function SayHello:run(req)
  return "Hello, " .. req.name
end

local HelloAll = chain.chainlet "HelloAll" {
  doc    = "Greets everybody, a line each.",
  input  = { names = t.list(t.string) },
  output = t.string,
  needs  = { say_hello = SayHello },
}

function HelloAll:run(req)
  local lines = chain.map(req.names, function(name)
    return self.say_hello { name = name }
  end)
  return table.concat(lines, "\n")
end

return HelloAll
