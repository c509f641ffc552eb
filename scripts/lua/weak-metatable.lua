-- An all-weak table gets a new metatable while a collection is under way: Lua 5.4.8 frees the new one.
collectgarbage("stop")
collectgarbage("incremental", 100, 4, 5)   -- the smallest steps, so that one ends at every point of a cycle
for steps = 1, 1500 do
  all_weak = setmetatable({}, { __mode = "kv" })
  collectgarbage()
  for _ = 1, steps do collectgarbage("step", 0) end
  setmetatable(all_weak, { __mode = "kv", name = steps })
  while not collectgarbage("step", 0) do end
  for i = 1, 20 do local _ = { __mode = "k", name = -i } end   -- takes the place of what was freed
  local metatable = getmetatable(all_weak)
  assert(type(metatable) == "table" and rawget(metatable, "name") == steps, "the metatable was freed")
end
