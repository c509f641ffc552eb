-- ends: memory_limit
local streams = {}
for i = 1, 60000 do
  streams[i] = chain.stream(function() end)
  if i % 1000 == 0 then chain.sleep(0) end
end
return 1
