-- returns: ["survived","cannot resume a coroutine that waits, or that the host runs"]
local co
local other = chain.async(function() chain.sleep(0.3) end)
chain.async(function()
  co = coroutine.running()
  chain.map({ 1 }, function() chain.sleep(0.05) return 5 end) -- the host writes into this stack
  other:await(0, 0x414141414140)
end)
chain.sleep(0.01)
local _, why = coroutine.resume(co)
chain.sleep(0.1)
return { "survived", why }
