-- returns: "ended"
local tensor = require "tensor"
local z, thin = tensor.zeros { 1 << 30, 0 }, tensor.zeros { 1 << 30, 0, 0 }
for _ = 1, 100 do
  tensor.concat({ z, z }, 2)
  tensor.stack({ z, z }, 2)
  z:softmax()
  z:normalize()
  z:top_k(0)
  z:take({}, 2)
  thin:mean_pool(z)
  pcall(z.cosine, z, z)
end
return "ended"
