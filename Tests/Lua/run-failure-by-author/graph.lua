local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" {
  input = {},
  output = t.any,
}

function Main:run(req)
  error(chain.failure { code = "bad_audio", message = "the file has no sound", status = 422, details = { seconds = 0 } })
end

return Main
