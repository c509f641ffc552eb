-- error: read-only
string.rep = function() return "mine" end
