-- returns: null
return coroutine.close
