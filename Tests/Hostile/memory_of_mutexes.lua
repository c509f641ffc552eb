-- ends: memory_limit
-- limits: memory = "16MB"
local kept = {}
for i = 1, 400000 do
  kept[i] = chain.mutex() -- more lies outside of Lua than in it
end
return #kept
