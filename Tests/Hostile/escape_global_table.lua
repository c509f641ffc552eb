-- returns: false
return getmetatable(_G)
