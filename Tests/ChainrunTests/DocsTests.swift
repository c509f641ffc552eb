import LuaBridge
import Testing

/// The examples of the guides are programs. A block of Lua that begins with `-- NAME.lua` is a file, and `-- graph.lua`
/// begins a new folder; a block of text that begins with `$` holds commands in that folder and what they print. A graph
/// without commands must pass its check, and all other Lua must compile.
@Suite("The guides")
struct DocsTests {
  @Test("every example does what the page says", arguments: try Page.all())
  func examples(_ page: Page) throws {
    var program: Program?
    var isUsed = true
    func finish() throws {
      guard let program, !isUsed else { return }
      let outcome = try program.run("check", "graph.lua")
      #expect(outcome.status == 0, "\(page.name): \(outcome.output)")
    }
    for block in page.blocks {
      if block.language == "lua", let file = block.file {
        if file == "graph.lua" || program == nil {
          try finish()
          program = try Program()
          isUsed = false
        }
        try program?.write(Array(block.text.utf8), to: file)
      } else if block.language == "lua" {
        // A fragment may be fields of a table, as in a spec.
        let isCode = (try? LuaState().load(block.text)) != nil
        #expect(isCode || (try? LuaState().load("return {\(block.text)}")) != nil, "\(page.name):\(block.line): it is no Lua")
      } else if block.language == "text", block.text.hasPrefix("$ ") {
        isUsed = true
        for (command, expected) in block.commands {
          let isOfTheHouse = command.contains("scripts/chainrun")
          let place = isOfTheHouse ? Page.root : try #require(program).folder
          let line = "chainrun() { \"$chainrun\" \"$@\"; }; exec 2>&1; cd '\(place)'; "
            + command.replacing("scripts/chainrun", with: "chainrun")
          let outcome = try (program ?? Program()).shell(line)
          #expect(outcome.output == expected, "\(page.name):\(block.line): $ \(command)")
        }
      }
    }
    try finish()
  }
}

/// A page of the guides, cut into its blocks of code.
struct Page: Sendable, CustomTestStringConvertible {
  struct Block {
    var language: String
    var line: Int
    var text: String

    /// `graph.lua` of the first line `-- graph.lua`.
    var file: String? {
      guard let first = text.split(separator: "\n").first, first.hasPrefix("-- "), first.hasSuffix(".lua") else { return nil }
      return String(first.dropFirst(3))
    }

    var commands: [(command: String, expected: String)] {
      var result: [(command: String, expected: String)] = []
      for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
        if line.hasPrefix("$ ") { result.append((String(line.dropFirst(2)), "")) } else { result[result.count - 1].expected += line + "\n" }
      }
      return result
    }
  }

  var name: String
  var blocks: [Block]
  var testDescription: String { name }

  static let root = String(#filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined())

  static func all() throws -> [Page] {
    let listed = try Program().shell("cd '\(root)' && find README.md docs/authors docs/operators -name '*.md' | sort").output
    return listed.split(separator: "\n").map { name in
      Page(name: String(name), blocks: blocks(of: String(decoding: readAll("\(root)/\(name)") ?? [], as: UTF8.self)))
    }
  }

  private static func blocks(of text: String) -> [Block] {
    var blocks: [Block] = []
    var open: Block?
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("```") {
        if let block = open {
          blocks.append(block)
          open = nil
        } else {
          open = Block(language: String(line.dropFirst(3)), line: number + 1, text: "")
        }
      } else {
        open?.text += line + "\n"
      }
    }
    return blocks
  }
}
