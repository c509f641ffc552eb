-- ends: cpu_limit
-- Each coroutine runs a few instructions only.
local function tree(depth)
  if depth == 0 then return end
  for _ = 1, 12 do coroutine.wrap(tree)(depth - 1) end
end
tree(30)
