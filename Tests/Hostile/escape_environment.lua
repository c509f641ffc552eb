-- error: global
local e = _ENV
e.leak = 1
