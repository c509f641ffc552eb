-- returns: 0
local others = {}
for i = 1, 20 do
  chain.async(function()
    others[i] = coroutine.running()
    if i % 2 == 0 then chain.sleep(0.01) end -- the others are over, and at rest
  end)
end
chain.sleep(0.001)
local resumed = 0
for _, co in ipairs(others) do
  for _ = 1, 3 do
    local results = table.pack(coroutine.resume(co, string.rep, "x"))
    if results[1] then resumed = resumed + 1 end
  end
end
chain.sleep(0.03)
for _, co in ipairs(others) do if coroutine.resume(co, 1) then resumed = resumed + 1 end end
local own = coroutine.running()
if coroutine.resume(own) then resumed = resumed + 1 end
chain.async(function() if coroutine.resume(own) then resumed = resumed + 1 end end):await()
return resumed
