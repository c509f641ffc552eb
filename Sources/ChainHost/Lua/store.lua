-- store:fetch, over two natives: the wait for a value or for the turn to make it, and the end of that turn.
local methods, begin, finish = ...

function methods.fetch(store, key, fn, ttl)
  local turn <close>, value = begin(store, key, fn, ttl)
  if not turn then return value end
  value = fn(key)
  finish(turn, value, ttl)
  return value
end
