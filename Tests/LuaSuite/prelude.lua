-- What Lua's own tests expect to find, as far as the sandbox can have it.
_port, _soft, _nomsg = true, true, true
_VERSION = "Lua 5.4"

local stock_require = { string = string, table = table, math = math, utf8 = utf8, coroutine = coroutine, debug = debug, os = os }
function require(name)
  if name == "bwcoercion" then
    stock_require[name] = stock_require[name] or assert(load(read_file("bwcoercion.lua"), "@bwcoercion.lua"))() or true
  end
  return stock_require[name] or error("module '" .. name .. "' not found")
end

function loadstring(text, name) return load(text, name) end

package = { loaded = { _G = _G, string = string, table = table, math = math, utf8 = utf8, coroutine = coroutine, debug = debug, os = os } }
stock_require.tracegc = { start = function() end, stop = function() end } -- finalizers; scripts have none
local guarded_os = os
os = setmetatable({ setlocale = function(name) return (name == nil or name == "C") and "C" or nil end }, { __index = guarded_os })
