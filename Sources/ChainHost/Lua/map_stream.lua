-- chain.map over a stream: a stream of the results. Each item has a task; it emits when the one before has, and so the
-- results keep their order, and the end of a task means that there is room for one more.
-- A file of its own, loaded at its first use: few chainlets do this.
local chain, own = ...

return function(source, fn, limit)
  return chain.stream(function(emit)
    local source <close> = source
    local tasks, first, last = {}, 1, 0
    local _ <close> = setmetatable({}, { __close = function()
      for index = first, last do tasks[index]:cancel() end
    end })
    for item in source do
      local index, before = last + 1, tasks[last]
      tasks[index] = chain.async(function()
        local _ <close> = setmetatable({}, { __close = function(_, failure)
          if failure ~= nil then source:close() end -- nobody waits for another item
        end })
        local value = fn(item, index)
        if before then before:await() end
        if value == nil then own.no_value(index) end
        emit(value)
      end)
      last = index
      if last - first + 1 >= limit then
        tasks[first]:await()
        tasks[first - 1] = nil -- not this one: the next item waits for it
        first = first + 1
      end
    end
    if last > 0 then tasks[last]:await() end
    first = last + 1
  end)
end
