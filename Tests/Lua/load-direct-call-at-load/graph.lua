local chain = require "chain"
local t = chain.types

local SayHello = chain.chainlet "SayHello" { input = { name = t.string }, output = t.string }

function SayHello:run(req) return req.name end

print(SayHello:run { name = "Ada" })

return SayHello
