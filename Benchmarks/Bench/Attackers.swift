import ChainBase
import ChainHost

/// What a chainlet can do to its neighbours, and an honest one beside it on the same lane.
enum Attackers {
  static let spin = "while true do end"
  static let allocate = "while true do local t = {} for i = 1, 1000 do t[i] = { i } end end"
  static let backtrack = #"while true do (("a"):rep(3000)):find(".-.-.-.-b") end"#
  static let sort = "local t = {} for i = 1, 200000 do t[i] = (i * 7919) % 200003 end while true do table.sort(t) table.sort(t, math.ult) end"
  /// Runs that are each shorter than a slice, hundreds at a time.
  static let burst = """
    local items = {}
    for i = 1, 300 do items[i] = i end
    local function burn() local stop = os.clock() + 0.008 while os.clock() < stop do end end
    while true do chain.each(items, burn, { limit = 300 }) end
    """
  /// What is ended, and takes its time over that.
  static let unwind = """
    local items = {}
    for i = 1, 300 do items[i] = i end
    local late = { __close = function() local stop = os.clock() + 0.009 while os.clock() < stop do end end }
    local function wait() local c <close> = setmetatable({}, late) chain.sleep(100) end
    while true do pcall(chain.timeout, 0.01, function() chain.each(items, wait, { limit = 300 }) end) end
    """
  /// Holds nearly 16 MB for a while, then takes more.
  static let hoard = #"local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t if #t == 14500 then chain.sleep(1) end end"#
  static let fill = #"local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end"#

  /// Entrypoints `a1`, `a2` … run `body` under these limits when they are told to attack, and answer 1 otherwise;
  /// `honest` adds one.
  static func graph(_ body: String, count: Int = 1, limits: String) -> String {
    """
    local chain = require "chain"
    local t = chain.types
    local Honest = chain.chainlet "Honest" { input = { n = t.integer }, output = t.integer }
    function Honest:run(req) return req.n + 1 end
    local entries = { honest = Honest }
    \((1...count).map { attacker(number: $0, body, limits) }.joined(separator: "\n"))
    return entries
    """
  }

  private static func attacker(number: Int, _ body: String, _ limits: String) -> String {
    """
    do
      local Attacker = chain.chainlet "A\(number)" { input = { attack = t.boolean }, output = t.integer, limits = { \(limits) } }
      function Attacker:attack() \(body) end
      function Attacker:run(req)
        if req.attack then self:attack() end
        return 1
      end
      entries.a\(number) = Attacker
    end
    """
  }

  /// Attacks with one of them and waits for its end.
  static func attack(_ chain: Chain, number: Int = 1, endsBy code: String) async throws {
    do throws(Failure) {
      _ = try await chain.run(["attack": true], .init(entry: "a\(number)"))
    } catch {
      guard error.code == code else { throw BenchFailure("the attack ended by \(error.code): \(error.message)") }
      return
    }
    throw BenchFailure("the attack was not ended")
  }
}
