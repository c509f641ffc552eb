-- returns: false
return getmetatable(chain.mutex())
