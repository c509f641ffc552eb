-- returns: 160
-- limits: memory = "64MB"
local long, failed = ("x"):rep(15000000), 0
for _ = 1, 20 do
  for _, result in ipairs(chain.settle({ 1, 2, 3, 4, 5, 6, 7, 8 }, function() error(long) end)) do
    if not result.ok and #result.error.message < 5000 then failed = failed + 1 end
  end
end
return failed
