local chain = require "chain"
local t = chain.types

local kept = {}
local Other = chain.chainlet "Other" { input = {}, output = t.any }

function Other:run()
  return kept:await()
end

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
  needs = { other = Other },
}

function Main:run(req)
  local task = chain.async(function() return 1 end)
  return self.other { }
end

return Main
