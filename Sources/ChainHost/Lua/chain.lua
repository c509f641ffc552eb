-- What `require "chain"` gives. It records what a file declares; the host reads the records and judges them.
-- native: what the runtime offers (map, each, …). own: the host's side of this file.
local native, own, types = ...
local Class, Need, Use, Pending = { __metatable = false }, { __metatable = false }, { __metatable = false }, { __metatable = false }
local records = {} -- by class
local hooks = { init = true, run = true, run_batch = true, save = true, restore = true, close = true }
local shared = {} -- what every class answers to

local function declare(pending, ...)
  local class, methods, parent = setmetatable({}, Class), {}, pending.parent
  local above = records[parent]
  local live = own.declare(class, methods, pending.name, parent, pending.kind, pending.mark, ...)
  if above then setmetatable(methods, { __index = above.methods }) end
  records[class] = {
    name = pending.name, live = live, methods = methods,
    super = above and (above.live and above.methods or parent),
  }
  return class
end

-- A name that waits for its spec.
local function begin(kind, parent, name, ...)
  local mark = own.begins and own.begins(kind, parent, name, ...)
  local pending = setmetatable({ kind = kind, name = name, parent = parent or false, mark = mark }, Pending)
  if select("#", ...) > 0 then return (declare(pending, ...)) end
  return pending
end

Pending.__call = declare
Pending.__index = own.pending_field
Pending.__newindex = own.pending_field

function shared.extend(class, ...)
  return (begin("extend", class, ...))
end

function shared.with(class, ...)
  return setmetatable({ class = class, n = select("#", ...), ... }, Need)
end

-- A hook, and anything of a chainlet that lives in another state, cannot be called from here.
function Class.__index(class, key)
  local record = records[class]
  if key == "super" then return record.super end
  local value = shared[key]
  if value ~= nil then return value end
  value = record.methods[key]
  if rawequal(value, own) or value ~= nil and hooks[key] then
    return function() own.direct(record.name, key) end
  end
  return value
end

function Class.__newindex(class, key, value)
  local record = records[class]
  if own.assigned then own.assigned(class, key, value) end
  if not record.live and type(value) == "function" then value = own end
  record.methods[key] = value
end

function Class.__call(class)
  own.direct(records[class].name)
end

function Class.__tostring(class)
  return "chainlet " .. tostring(records[class].name)
end

-- Requests share the module: none may change it for the others.
local function read_only(module)
  return setmetatable({}, { __index = module, __newindex = own.refuse_write, __metatable = false })
end

local chain = setmetatable({ types = read_only(types), config = own.config, const = own.const }, { __index = native, __metatable = false })

function chain.chainlet(...)
  return (begin("chainlet", nil, ...))
end

function chain.remote(...)
  return (begin("remote", nil, ...))
end

local function use(kind)
  return function(...)
    return setmetatable({ kind = kind, n = select("#", ...), ... }, Use)
  end
end

chain.model, chain.store, chain.limiter, chain.sqlite = use "model", use "store", use "limiter", use "sqlite"

-- A native function decides, since a Lua function that the author's `return` calls would take the place of his own.
local map_for = rawget(native, "map_for")
if map_for then
  local map, is_stream, map_stream = native.map, native.is_stream, nil
  native.map = map_for(function(list, fn, options)
    if not is_stream(list) then return map(list, fn, options) end
    map({}, fn, options) -- says what is wrong with them
    map_stream = map_stream or own.map_stream()(chain, own)
    return map_stream(list, fn, options and options.limit or 64)
  end)
  native.map_for, native.is_stream = nil, nil
end

local function require(...)
  local chunk, value = own.find(...)
  if not chunk then return value end
  return (own.loaded(value, xpcall(chunk, own.explain)))
end

return read_only(chain), Class, Need, Use, Pending, require
