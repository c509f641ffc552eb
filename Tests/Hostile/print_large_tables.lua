-- returns: 1
-- limits: memory = "64MB"
local numbers, odd, list = {}, {}, {}
for i = 1, 9900 do numbers[i], odd[i] = i, i end
odd[9900] = print
for i = 1, 2000 do list[i] = numbers end
print(table.unpack(list))
for i = 1, 2000 do list[i] = odd end
print(table.unpack(list))
return 1
