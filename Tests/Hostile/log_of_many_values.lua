-- returns: 1
for _ = 1, 20 do print(table.unpack({}, 1, 100000)) end
return 1
