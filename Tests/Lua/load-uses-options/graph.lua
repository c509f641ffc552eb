local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  output = t.stream(t.string),
  uses = {
    cache = chain.store { max_item = 3, ttl = "x" },
    rate = chain.limiter { burst = 0 },
  },
  batch = { max_size = 4 },
}

function Hello:run_batch(reqs)
  return {}
end

return Hello
