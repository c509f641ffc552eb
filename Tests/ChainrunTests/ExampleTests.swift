import Glibc
import Testing

/// Every example, run as its first lines say.
@Suite("The examples")
struct ExampleTests {
  private static let examples: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/Examples"
  }()

  private func run(_ words: String...) throws -> Program.Outcome {
    var words = words
    words[0] = "\(ExampleTests.examples)/\(words[0])"
    return try Program().run(words)
  }

  @Test("hello greets everybody")
  func hello() throws {
    let outcome = try run("hello/graph.lua", #"names=["Ada","Grace"]"#)
    #expect(outcome.output == "\"Hello, Ada\\nHello, Grace\"\n")
    #expect(outcome.status == 0)
  }

  @Test("stream gives its words one by one, and counts them")
  func stream() throws {
    #expect(try run("stream/graph.lua", "--entry", "shout", "text=to be").output == "\"TO!\"\n\"BE!\"\n")
    #expect(try run("stream/graph.lua", "--entry", "count", "text=to be or not to be").output == "{\"longest\":\"not\",\"words\":6}\n")
  }

  @Test("reuse runs a library's chainlet, one that extends it, and one that extends that")
  func reuse() throws {
    let library = "shared=\(ExampleTests.examples)/reuse/shared"
    for (entry, greeting) in [("plain", "Hello, Ada"), ("polite", "Good day, Ada"), ("loud", "GOOD DAY, ADA!")] {
      let outcome = try run("reuse/graph.lua", "--lib", library, "--entry", entry, #"names=["Ada"]"#)
      #expect(outcome.output == "[\"\(greeting)\"]\n")
    }
  }

  @Test("wordcount ranks the words of the King James Bible, as counted by another program")
  func wordcount() throws {
    let program = try Program()
    let made = try program.shell("bible -f gen1:1-rev22:21 > bible.txt")
    try #require(made.status == 0, "bible-kjv is installed by scripts/setup")
    let outcome = try program.run("\(ExampleTests.examples)/wordcount/graph.lua", "text=@bible.txt", "top=2")
    #expect(outcome.output == #"{"distinct":12866,"top":[{"count":63919,"word":"the"},{"count":51696,"word":"and"}],"words":820786}"# + "\n")
  }
}
