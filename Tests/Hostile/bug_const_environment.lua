-- returns: 1
local _ENV <const> = { x = 1 }
return x
