-- error: 'io' is not available
local name = "io"
return _G[name]
