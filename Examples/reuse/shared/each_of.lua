-- A factory: a chainlet that calls another one for every name.
local chain = require "chain"
local t = chain.types

return function(name, one)
  local EachOf = chain.chainlet(name) {
    input  = { names = t.list(t.string) },
    output = t.list(t.string),
    needs  = { one = one:with { retries = 1 } },
  }

  function EachOf:run(req)
    return chain.map(req.names, function(who)
      return self.one { name = who }
    end)
  end

  return EachOf
end
