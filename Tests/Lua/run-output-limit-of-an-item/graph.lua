local chain = require "chain"
local t = chain.types

local Writer = chain.chainlet "Writer" { input = {}, output = t.stream(t.string), limits = { output = 100 } }

function Writer:run(req, emit)
  emit("short")
  emit(("x"):rep(200))
end

local Main = chain.chainlet "Main" { input = {}, needs = { writer = Writer } }

function Main:run(req)
  for item in self.writer {} do end
end

return Main
