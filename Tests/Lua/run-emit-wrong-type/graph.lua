local chain = require "chain"
local t = chain.types

local Words = chain.chainlet "Words" { input = {}, output = t.stream(t.string) }

function Words:run(req, emit)
  emit("one")
  emit(2)
end

return Words
