local chain = require "chain"
local t = chain.types

local Hello = chain.chainlet "Hello" {
  input = {},
}

function Hello:run(req)
  return self.greet(req) .. self.plain(req) .. self.greet(self, req)
end

function Hello:greet(req) end

function Hello.plain(req) end

return Hello
