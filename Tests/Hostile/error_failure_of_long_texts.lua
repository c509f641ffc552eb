-- error: xxxxxxxx
-- limits: memory = "64MB"
local long = ("x"):rep(15000000)
local trace = {}
for i = 1, 64 do trace[i] = { chainlet = long, file = long, line = 1, ["function"] = long } end
local failure = chain.failure { code = long, message = long, cause = long, trace = trace }
for _ = 1, 50 do assert(#tostring(failure) < 100000) end
for _ = 1, 20 do assert(not pcall(chain.timeout, 1, function() error(failure) end)) end
error(failure)
