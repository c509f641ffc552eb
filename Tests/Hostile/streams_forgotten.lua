-- returns: 1
for i = 1, 60000 do
  chain.stream(function() end)
  if i % 1000 == 0 then chain.sleep(0) end
end
return 1
