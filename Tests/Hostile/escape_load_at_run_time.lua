-- error: 'load' is not available
local name = "load"
return _ENV[name]("return 1")
