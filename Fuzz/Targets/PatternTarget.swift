import CStockLua
import LuaBridge

/// A pattern, a text and a replacement: the sandbox's functions give what stock Lua's give, errors included.
func fuzzPattern(_ bytes: [UInt8]) throws {
  // Nobody stops stock Lua in a hopeless pattern: what is tried has to be small.
  let bytes = Array(bytes.prefix(48))
  guard let stock = chunk.withCString({ stock_open($0, chunk.utf8.count) }) else { throw Finding("stock Lua does not start") }
  defer { stock_close(stock) }
  var length = 0
  let result = bytes.withUnsafeBytes { stock_call(stock, $0.baseAddress, $0.count, &length) }
  let expected = Array(UnsafeRawBufferPointer(start: result, count: length))
  let function: LuaFunction = try LuaState().run(chunk, name: "cases.lua")
  let actual: Bytes = try function.call(Bytes(bytes))
  guard actual.bytes == expected else {
    throw Finding("stock: \(String(decoding: expected, as: UTF8.self))\nours: \(String(decoding: actual.bytes, as: UTF8.self))")
  }
}

/// A string of Lua, whatever its bytes.
private struct Bytes: LuaPushable, LuaReadable {
  let bytes: [UInt8]
  init(_ bytes: [UInt8]) { self.bytes = bytes }
  static var expected: String { "string" }
  static func read(from stack: borrowing LuaStack, at index: Int32) throws(LuaError) -> Bytes { Bytes([UInt8](stack.bytes(at: index))) }
  func push(to stack: borrowing LuaStack) throws(LuaError) {
    let stack = copy stack
    bytes.withUnsafeBytes { stack.push(bytes: $0) }
  }
}

/// The first byte chooses a function, the second the length of the pattern, the third where to begin.
private let chunk = #"""
  return function(bytes)
    local which, size, first = (bytes .. "\0\0\0"):byte(1, 3)
    local pattern, text = bytes:sub(4, 3 + size % 14), bytes:sub(4 + size % 14)
    first = first % 32 - 16
    local function show(...)
      local words = table.pack(...)
      for i = 1, words.n do words[i] = ("%s %q"):format(math.type(words[i]) or type(words[i]), words[i]) end
      return table.concat(words, ", ")
    end
    local function all(...)
      local words = {}
      for a, b, c in string.gmatch(...) do
        words[#words + 1] = show(a, b, c)
        if #words > 100 then break end
      end
      return table.concat(words, "; ")
    end
    local calls = {
      function() return string.find(text, pattern, first) end,
      function() return string.find(text, pattern, first, true) end,
      function() return string.match(text, pattern, first) end,
      function() return all(text, pattern) end,
      function() return all(text, pattern, first) end,
      function() return string.gsub(text, pattern, text:sub(-6)) end,
      function() return string.gsub(text, pattern, "<%0%1>", first) end,
      function() return string.gsub(text, pattern, function(...) return show(...) end) end,
      function() return string.gsub(text, pattern, { a = "b", [1] = false, [""] = 7 }) end,
    }
    return show(pcall(calls[which % #calls + 1]))
  end
  """#
