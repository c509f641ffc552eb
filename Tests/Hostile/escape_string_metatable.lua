-- returns: false
return getmetatable("")
