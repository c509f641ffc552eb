-- The order of strings is that of their bytes, and long runs of zero bytes do not make a comparison slow.
local ordered = { "", "\0", "\0\0", "\0a", "\1", "A", "a", "a\0", "a\0\0", "a\0b", "a\1", "aa", "b", "\x7f", "\x80", "\xff" }
for i, a in ipairs(ordered) do
  for j, b in ipairs(ordered) do
    assert((a < b) == (i < j) and (a <= b) == (i <= j), i .. " " .. j)
  end
end

local zeros = ("\0"):rep(16 << 20)
local longer = zeros .. "x"
local began = os.clock()
for _ = 1, 5 do assert(zeros < longer and not (longer < zeros)) end
assert(os.clock() - began < 1, "a comparison takes as long as one call for each zero byte")
