-- Chainlets from a library: used as they are, extended, and made by a factory.
--   scripts/chainrun Examples/reuse/graph.lua --lib shared=Examples/reuse/shared --entry polite names=Ada names=Grace
local Greeter = require "shared.greeter"
local each_of = require "shared.each_of"

local Polite = Greeter:extend "Polite" {
  doc = "Greets one person with a bow.",
}

function Polite:greeting()
  return "Good day"
end

local Loud = Polite:extend "Loud" {}

function Loud:run(req)
  return Loud.super.run(self, req):upper() .. "!"
end

return {
  plain  = each_of("PlainAll", Greeter),
  polite = each_of("PoliteAll", Polite),
  loud   = each_of("LoudAll", Loud),
}
