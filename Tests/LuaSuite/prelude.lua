-- What Lua's own tests expect to find, as far as the sandbox can have it.
_port, _soft, _nomsg = true, true, true
_VERSION = "Lua 5.4"

local stock_require = { string = string, table = table, math = math, utf8 = utf8, coroutine = coroutine, debug = debug, os = os }
function require(name)
  if name == "bwcoercion" then
    stock_require[name] = stock_require[name] or assert(load(read_file("bwcoercion.lua"), "@bwcoercion.lua"))() or true
  end
  if package.preload[name] then return package.preload[name](name) end
  return stock_require[name] or error("module '" .. name .. "' not found")
end

function loadstring(text, name) return load(text, name) end

package = { preload = {}, loaded = { _G = _G, package = {}, string = string, table = table, math = math, utf8 = utf8, coroutine = coroutine, debug = debug, os = os } }
stock_require.tracegc = { start = function() end, stop = function() end } -- finalizers; scripts have none
local guarded_os = os
os = setmetatable({ setlocale = function(name) return (name == nil or name == "C") and "C" or nil end }, { __index = guarded_os })

-- Lua's own, for the files that left-out.txt names.
free_getmetatable = debug.getmetatable
function free_setmetatable(value, metatable)
  local old = debug.getmetatable(value)
  if old and old.__metatable ~= nil then error("cannot change a protected metatable") end
  if type(value) ~= "table" or metatable ~= nil and type(metatable) ~= "table" then return setmetatable(value, metatable) end
  return debug.setmetatable(value, metatable)
end

-- Left out of the sandbox; much of Lua's tests is about what it does with other functions.
local with_dump = { dump = stock_dump }
for name, value in pairs(string) do with_dump[name] = value end
string = with_dump
stock_require.string, package.loaded.string = string, string
local with_close = { close = stock_close }
for name, value in pairs(coroutine) do with_close[name] = value end
coroutine = with_close
stock_require.coroutine, package.loaded.coroutine = coroutine, coroutine
