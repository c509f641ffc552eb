local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
}

function Hello:initt() end

function Hello:run(req) return self:saved() end

-- The author's own: it is called.
function Hello:saved() end

return Hello
