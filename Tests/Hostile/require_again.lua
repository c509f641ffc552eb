-- returns: true
-- limits: memory = "4MB"
local same = true
for _ = 1, 20000 do
  for _, name in ipairs { "json", "text", "tensor" } do
    same = same and rawequal(require(name), require(name))
  end
end
return same
