local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
  secrets = { "API_KEY", 7 },
}

function Hello:run(req)
  return self.secrets.API_KAY
end

return Hello
