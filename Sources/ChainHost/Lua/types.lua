-- The constructors of types. A type is a record of how it was made; the host reads it and judges it.
local own = ...
local Type = { __metatable = false, __index = own.type_field }
local types = setmetatable({}, { __index = own.unknown_type, __metatable = false })

function Type.__call(base, ...)
  return setmetatable({ base = base, n = select("#", ...), ... }, Type)
end

for kind in ("string integer number boolean bytes blob any"):gmatch "%a+" do
  types[kind] = setmetatable({ kind = kind }, Type)
end

for kind in ("list map record enum union optional tensor stream"):gmatch "%a+" do
  types[kind] = function(...)
    return setmetatable({ kind = kind, n = select("#", ...), ... }, Type)
  end
end

return types, Type
