local chain = require "chain"
local t = chain.types

while true do
  pcall(function() while true do end end)
end
