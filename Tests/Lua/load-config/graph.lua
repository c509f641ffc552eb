local chain = require "chain"
local t = chain.types

local cfg = chain.config {
  model = t.string,
  size = t.integer { default = "big" },
  raw = t.bytes,
}

local Hello = chain.chainlet "Hello" {}

function Hello:run() return cfg.model end

return Hello
