-- returns: [0,"nil","x"]
local changed, K = 0, chain.const { a = 1 }
for _, target in ipairs { _G, chain, string, table, chain.log, K, setmetatable({}, { __index = function() return 5 end }), require "json" } do
  if pcall(chain.failure, target) then changed = changed + 1 end
  if target ~= K and pcall(function() target.evil = 1 end) and rawget(target, "code") then changed = changed + 1 end
end
if pcall(function() K.a = 2 end) then changed = changed + 1 end
local again = chain.failure { code = "x" }
return { changed, tostring(rawget(_G, "evil")), chain.failure(again).code }
