-- returns: 6
-- limits: memory = "128MB"
local many, wrong = {}, 0
for i = 1, 400000 do many["detail" .. i] = true end
local text = require "text"
local function refused(fn, ...)
  local ok, problem = pcall(fn, ...)
  if not ok and tostring(problem):find("detail") then wrong = wrong + 1 end
end
refused(chain.failure, many)
refused(chain.map, { 1 }, print, many)
refused(text.chunks, "a", many)
refused(require("tensor").pick, require("tensor").new { 1, 2 }, many)
if not pcall(chain.all, many) then wrong = wrong + 1 end
many = {}
for i = 1, 400000 do many[i] = true end
if not pcall(chain.map, { 1 }, print, many) then wrong = wrong + 1 end
return wrong
