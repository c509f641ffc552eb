-- returns: 400
-- limits: memory = "64MB"
local a = {}
a.a = a
local function deep(n, ...)
  if n > 0 then return (deep(n - 1, ...)) end
  a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.xyz()
end
local list = {}
for i = 1, 400 do list[i] = i end
local results
for _ = 1, 4 do
  results = chain.settle(list, function(i) return deep(i, table.unpack({}, 1, i % 7)) end)
end
local failed = 0
for _, result in ipairs(results) do
  if not result.ok and tostring(result.error):find("nil value") then failed = failed + 1 end
end
return failed
