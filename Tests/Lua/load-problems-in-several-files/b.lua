local chain = require "chain"
local t = chain.types

local B = chain.chainlet "B" { output = t.strin }

function B:run() end

return B
