local chain = require "chain"
local t = chain.types

local http = require "http"

return http
