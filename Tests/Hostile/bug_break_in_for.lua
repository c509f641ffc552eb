-- returns: [1,"closed"]
-- D5: `break` in a `for` with a closing value closed the wrong register.
local log = {}
local guard = setmetatable({}, { __close = function() log[#log + 1] = "closed" end })
for i in function(_, n) return (n or 0) + 1 end, nil, nil, guard do
  log[#log + 1] = i
  break
end
return log
