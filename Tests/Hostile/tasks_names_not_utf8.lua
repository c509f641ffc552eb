-- returns: [1,2,"ÿ"]
local results = chain.all { ["\255"] = function() return 1 end, ["\254a"] = function() return 2 end }
local name = chain.race { ["\255"] = function() return true end }
return { results["\255"], results["\254a"], name == "\255" and "\u{FF}" }
