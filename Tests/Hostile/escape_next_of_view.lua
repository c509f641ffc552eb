-- returns: null
return next(string)
