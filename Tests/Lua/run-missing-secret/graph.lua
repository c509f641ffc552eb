local chain = require "chain"
local t = chain.types

local Main = chain.chainlet "Main" { input = {}, secrets = { "A_KEY_THAT_IS_NOT_SET" } }

function Main:run() end

return Main
