-- returns: null
return require("os").execute
