local chain = require "chain"
local t = chain.types

local Disk = chain.chainlet "Disk" { input = { path = t.string }, output = t.string }

function Disk:run(req)
  error("no such file: " .. req.path)
end

local Store = chain.chainlet "Store" { input = { key = t.string }, output = t.string, needs = { disk = Disk } }

function Store:load(key)
  return self.disk { path = "/" .. key }
end

function Store:run(req)
  return self:load(req.key)
end

local Main = chain.chainlet "Main" { input = {}, output = t.string, needs = { store = Store } }

function Main:run(req)
  return self.store { key = "greeting" }
end

return Main
