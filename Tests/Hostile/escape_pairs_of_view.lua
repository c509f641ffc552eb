-- error: read-only
for _, f in pairs(string) do if f == string.rep then string.rep = nil end end
