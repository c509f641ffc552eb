-- The constructors of types. A type is a record of how it was made; the host reads it and judges it.
local own = ...
local Type = { __metatable = false, __index = own.type_field }
local plain = { string = true, integer = true, number = true, boolean = true, bytes = true, blob = true, any = true }
local compound = { list = true, map = true, record = true, enum = true, union = true, optional = true, tensor = true, stream = true }

function Type.__call(base, ...)
  return setmetatable({ base = base, n = select("#", ...), ... }, Type)
end

-- A constructor is made when it is first asked for: every state has this module, and most use a few of them.
local Types = { __metatable = false }
function Types.__index(types, kind)
  local made
  if plain[kind] then
    made = setmetatable({ kind = kind }, Type)
  elseif compound[kind] then
    made = function(...)
      return setmetatable({ kind = kind, n = select("#", ...), ... }, Type)
    end
  else
    return own.unknown_type and own.unknown_type(types, kind)
  end
  types[kind] = made
  return made
end

return setmetatable({}, Types), Type
