-- store:fetch, over three natives: the wait for a value or for the turn to make it, the taking of that value, and the end of
-- that turn.
local methods, begin, finish, take = ...

function methods.fetch(store, key, fn, ttl)
  local turn <close>, fetched = begin(store, key, fn, ttl)
  if not turn then return take(fetched) end
  local value = fn(key)
  finish(turn, value, ttl)
  return value
end
