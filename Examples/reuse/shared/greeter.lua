-- A base that other graphs extend.
local chain = require "chain"
local t = chain.types

local Greeter = chain.chainlet "Greeter" {
  doc    = "Greets one person.",
  input  = { name = t.string { min = 1 } },
  output = t.string,
  limits = { time = 5 },
}

function Greeter:greeting()
  return "Hello"
end

function Greeter:run(req)
  return self:greeting() .. ", " .. req.name
end

return Greeter
