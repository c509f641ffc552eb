-- returns: true
-- Marks that nothing separates: a normal form has to sort them.
local text = ("\u{301}\u{323}"):rep(60000)
return #require("text").normalize(text, "nfd") == #text
