-- Random calls of library functions. The chunk returns a function: a number gives a case, whose result comes back as
-- text. Run in stock Lua and in the sandbox, the texts must be the same.

local state = 1
local function random(n) -- 1 to n
  state = (state * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff
  return (state >> 33) % n + 1
end
local function pick(list) return list[random(#list)] end
local function chance(n) return random(n) == 1 end

local function pack(...) return { n = select("#", ...), ... } end

local function show(value, depth)
  local kind = math.type(value)
  if kind == "float" then return value ~= value and "nan" or string.format("%a", value) end
  if kind == "integer" then return value .. "i" end
  if type(value) == "string" then return '"' .. value .. '"' end
  if type(value) == "table" and depth < 3 then
    local keys, parts = {}, {}
    for key in next, value do
      if math.type(key) == "integer" then keys[#keys + 1] = key end
    end
    for i = 2, #keys do -- not by table.sort, which is under test
      local key, j = keys[i], i - 1
      while j > 0 and keys[j] > key do keys[j + 1], j = keys[j], j - 1 end
      keys[j + 1] = key
    end
    for i, key in ipairs(keys) do parts[i] = key .. "=" .. show(rawget(value, key), depth + 1) end
    return "{" .. (rawget(value, "n") or "") .. ":" .. table.concat(parts, ",") .. "}"
  end
  if type(value) == "nil" or type(value) == "boolean" then return tostring(value) end
  return type(value)
end

local function result_of(f, ...)
  local ok, result = pcall(f, ...)
  return (ok and "ok " or "error ") .. show(result, 0)
end

-- Values ---------------------------------------------------------------------------------------------

local pieces = { "a", "b", "ab", " ", "1", "12", "_", "[", "]", "%", "-", "\0", "\n", "A", "xyz", ".", "(", ")", "\xff", "\xc3\xa9", "^", "$" }
local function text(most)
  local parts = {}
  for i = 1, random(most + 1) - 1 do parts[i] = pick(pieces) end
  return table.concat(parts)
end
local numbers = {
  0, 1, -1, 2, 3, 7, 10, 100, -5, 255, 256, 65535, 1 << 31, -(1 << 31), math.maxinteger, math.mininteger, 0.0, -0.0, 0.5, 1.5, -1.5,
  0.1, 1e15, 1e16, 1e100, -1e-300, 5e-324, 123456789.125, 1 / 3, math.pi, 1 / 0, -1 / 0, 0 / 0, 2 ^ 53, 2 ^ 63, -2 ^ 63,
}
local function number()
  if chance(3) then return random(1 << 30) * random(1 << 30) // random(1 << 20) - (1 << 29) end
  if chance(3) then return (random(1 << 30) - (1 << 29)) / random(1 << 15) * 10.0 ^ (random(60) - 30) end
  return pick(numbers)
end
local function value()
  return ({ number, number, function() return text(4) end, function() return nil end, function() return chance(2) end, function() return {} end })[random(6)]()
end
local function small() return random(13) - 6 end

-- Patterns -------------------------------------------------------------------------------------------

local singles = {
  "a", "b", "1", ".", "%a", "%d", "%s", "%w", "%x", "%p", "%c", "%g", "%l", "%u", "%A", "%S", "%z", "%%", "%.", "%[", "[ab]", "[^a]", "[a-f]",
  "[%w_]", "[%a-]", "[]]", "[^]]", "[a-]", "[^%s]", "x", " ", "\0", "[\0-\xff]", "[b-a]", "[%]]", "A", "_", "^", "$",
}
local others = { "%b()", "%b[]", "%bab", "%f[%w]", "%f[^%a]", "%1", "%2", "()", "%f[a]" }
local broken = { "%", "[", "[a", "[^", "(", ")", "%b", "%bx", "%f", "%fa", "%3", "%0", "[%", "[a-", "%9", "[]" }
local function pattern(depth)
  local parts = {}
  if depth == 0 and chance(6) then parts[1] = "^" end
  for _ = 1, random(5) do
    local what = random(20)
    if what <= 13 then parts[#parts + 1] = pick(singles) .. pick { "", "", "*", "+", "-", "?" }
    elseif what <= 16 and depth < 3 then parts[#parts + 1] = "(" .. pattern(depth + 1) .. ")"
    elseif what <= 19 then parts[#parts + 1] = pick(others)
    elseif chance(3) then parts[#parts + 1] = pick(broken) end
  end
  if depth == 0 and chance(6) then parts[#parts + 1] = "$" end
  return table.concat(parts)
end
local function replacement()
  local parts = {}
  for i = 1, random(5) - 1 do parts[i] = pick { "x", "%0", "%1", "%2", "%%", "-", "\0", "yy" } end
  if chance(15) then parts[#parts + 1] = pick { "%", "%a", "%9" } end
  return table.concat(parts)
end

local function subject()
  if chance(20) then return string.rep(pick { "a", "ab", "a b", "(a)" }, random(60)) end
  return text(14)
end

local function find() return result_of(function(...) return pack(string.find(...)) end, subject(), pattern(0), pick { nil, 1, small(), small() }, chance(8)) end
local function match() return result_of(function(...) return pack(string.match(...)) end, subject(), pattern(0), pick { nil, 1, small() }) end
local function plain() return result_of(function(...) return pack(string.find(...)) end, subject(), text(3), small(), true) end
local function gmatch()
  return result_of(function(s, p, init)
    local all, n = {}, 0
    for a, b, c in string.gmatch(s, p, init) do
      n = n + 1
      all[n] = pack(a, b, c)
      if n == 40 then break end
    end
    return all
  end, subject(), pattern(0), pick { nil, nil, small() })
end
local function gsub()
  local s, p, most = subject(), pattern(0), pick { nil, nil, small(), 2 }
  local by = random(5)
  local with = by <= 2 and replacement() or by == 3 and { a = "1", b = 2, ab = false, [1] = "one", ["1"] = 1.5, [" "] = chance(9) and {} or "" }
    or by == 4 and setmetatable({}, { __index = function(_, key) return "<" .. tostring(key) .. ">" end })
  if by == 5 then
    local kind = random(8)
    with = function(...)
      if kind == 1 then return nil end
      if kind == 2 then return false end
      if kind == 3 then return select("#", ...) end
      if kind == 4 then return (string.gsub(tostring((...)), "%w", "%0%0")) end
      if kind == 5 and chance(5) then return {} end
      return "(" .. tostring((...)) .. ")"
    end
  end
  return result_of(function(...) return pack(string.gsub(...)) end, s, p, with, most)
end

-- Formats and numbers --------------------------------------------------------------------------------

local function specifier()
  local flags = pick { "", "", "", "-", "0", "+", " ", "#", "-+" }
  local width = pick { "", "", "", "5", "12", "99", "100" }
  local precision = pick { "", "", ".0", ".3", ".14", ".20", ".99", ".", ".100" }
  return "%" .. flags .. width .. precision .. pick { "d", "i", "u", "c", "x", "X", "o", "e", "E", "f", "g", "G", "a", "A", "s", "q", "%", "y" }
end
local function format()
  local form, count = {}, random(3)
  for i = 1, count do form[i] = pick { "", "x", "=" } .. (chance(3) and specifier() or pick { "%d", "%s", "%5.1f", "%q", "%g", "%.14g", "%x", "%10s", "%-10s|", "%i", "%.3s", "%5.2s", "%c", "%a" }) end
  local a, b, c = value(), value(), value()
  if type(a) == "table" then a = 1 end
  if type(b) == "table" then b = "b" end
  if type(c) == "table" then c = 2.5 end
  return result_of(function(...) return pack(string.format(...)) end, table.concat(form), a, b, c)
end
local function tostrings()
  local n = number()
  return result_of(function() return pack(tostring(n), n .. "", tonumber(tostring(n)), #tostring(n), math.tointeger(n)) end)
end
local function tonumbers()
  local s = pick { "", " ", "-", "0x", "+", "" } .. pick { tostring(number()), tostring(number()), "ff", "7z", "1e", "1e5", ".5", "5.", "0x.8p3", "inf", "nan", "1_0", "" } .. pick { "", "", " ", "\0", "x" }
  return result_of(function(...) return pack(tonumber(...)) end, s, pick { nil, nil, 2, 10, 16, 36, 37, 1 })
end

-- Other string functions -----------------------------------------------------------------------------

local function strings()
  local s, which = text(10), random(10)
  if which == 1 then return result_of(function(...) return pack(string.rep(...)) end, "a" .. text(3), pick { small(), 0, 20, math.mininteger, math.maxinteger, 1 << 62 }, pick { nil, "", ",", text(2) }) end
  if which == 2 then return result_of(function(...) return pack(string.sub(...)) end, s, small(), pick { nil, small(), math.maxinteger, math.mininteger }) end
  if which == 3 then return result_of(function(...) return pack(string.byte(...)) end, s, small(), small()) end
  if which == 4 then return result_of(function(...) return pack(string.char(...)) end, random(300) - 10, random(255), random(255)) end
  if which == 5 then return result_of(function(...) return pack(string.reverse(...), string.upper(...), string.lower(...), string.len(...)) end, s) end
  if which == 6 then
    local form = pick { "<i4", ">i8", "z", "s1", "s4", "!4 i1 i4", "c5", "c20", "B", "n", "d f", "i16", "i17", "j", "c", "Xi4", "s1 z", "<!8 b Xd d", "" }
    return result_of(function(...) return pack(string.pack(form, ...)) end, value(), value())
  end
  if which == 7 then return result_of(function(...) return pack(string.unpack(...)) end, pick { "<i4", "z", "s1", "B", "c3", "<d", ">I2", "b b b" }, s, pick { nil, small() }) end
  if which == 8 then return result_of(function(...) return pack(utf8.len(...)) end, s, small(), small(), chance(2)) end
  if which == 9 then return result_of(function(...) return pack(utf8.char(...)) end, random(2000), random(70000) - 1000) end
  return result_of(function(...) return pack(utf8.offset(...)) end, s, small(), small())
end

-- Tables ---------------------------------------------------------------------------------------------

local function list(most, item)
  local t = {}
  for i = 1, random(most + 1) - 1 do t[i] = item() end
  return t
end
local function proxy(t) -- the same elements, behind metamethods
  return setmetatable({}, { __index = t, __newindex = t, __len = function() return #t end }), t
end
local function element() return pick { 1, 2, 3.5, "a", "bb", true } end
local function tables()
  local t, which = list(8, element), random(8)
  local seen = t
  if chance(4) then t = proxy(t) end
  if which == 1 then return result_of(function(...) table.insert(t, ...) return seen end, element()) end
  if which == 2 then return result_of(function(...) table.insert(t, ...) return seen end, pick { small(), 1, "2", 1.0, 1.5, {} }, element()) end
  if which == 3 then return result_of(function(...) return pack(table.remove(t, ...), seen) end, pick { nil, small(), 1 }) end
  if which == 4 then return result_of(function(...) return pack(table.concat(t, ...)) end, pick { nil, ",", "", 1 }, pick { nil, small() }, pick { nil, small() }) end
  if which == 5 then return result_of(function(...) return pack(table.unpack(t, ...)) end, pick { nil, small() }, pick { nil, small() }) end
  if which == 6 then
    return result_of(function(...) return table.move(t, ...) == t and seen end, small(), small(), small())
  end
  if which == 7 then
    return result_of(function(f, e, at) return table.move(t, f, e, at, { 9, 8, 7 }) end, small(), small(), pick { small(), math.maxinteger })
  end
  return result_of(function(...) table.insert(t, ...) end)
end
local orders = {
  function(a, b) return a > b end, function(a, b) return tostring(a) < tostring(b) end, function() return true end, function() return false end,
  function(a, b) return a <= b end, function(a, b) if a == 7 then error("seven") end return a < b end,
}
local function sort()
  local item = pick { function() return random(20) end, function() return random(1000) / 8 end, function() return text(3) end, function() return chance(3) and "1" or random(3) end }
  local t = list(chance(5) and 90 or 12, item)
  local seen = t
  if chance(8) then t = proxy(t) end
  return result_of(function(order) table.sort(t, order) return seen end, pick { nil, nil, nil, pick(orders) })
end

local kinds = { find, find, match, match, plain, gmatch, gsub, gsub, gsub, format, format, tostrings, tonumbers, strings, strings, tables, tables, sort }

return function(number_of_case)
  state = number_of_case * 2654435761 + 12345
  for _ = 1, 3 do random(2) end
  local which = random(#kinds)
  return which .. " " .. kinds[which]()
end
