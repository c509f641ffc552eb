-- returns: null
return string.dump
