-- returns: 150
return select("#", chain.timeout(1, function() return table.unpack({}, 1, 150) end))
