-- error: chain.timeout: expected at most 250 results, got 200000
return select("#", chain.timeout(10, function() return table.unpack({}, 1, 200000) end))
