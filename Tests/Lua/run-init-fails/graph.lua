local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" { input = {} }

function Main:init()
  self.table = nil
  self.size = #self.table
end

function Main:run() end

return Main
