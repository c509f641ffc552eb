local chain = require "chain"
local t = chain.types

local function spec(options)
  return { input = options.input.fields }
end

local A = chain.chainlet "Hello"(spec { inputs = {} })

return A
