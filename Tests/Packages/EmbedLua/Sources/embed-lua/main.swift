import LuaBridge

let lua = try LuaState(memoryLimit: 8 << 20)
try lua.register("price") { (item: String) in item == "tea" ? 2.5 : 4.0 }
let total: Double = try lua.run("""
  local sum = 0
  for _, item in ipairs { "tea", "cake", "tea" } do sum = sum + price(item) end
  return sum
  """)
print("The bill is \(total)")
