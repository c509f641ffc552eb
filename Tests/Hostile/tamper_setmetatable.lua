-- error: cannot change
setmetatable(_G, {})
