import ArgumentParser
import ChainHost
import Glibc

/// `chainrun draw GRAPH`: the graph as a picture, or as text that draws itself.
struct Draw: ParsableCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument { case mermaid, dot, svg }

  static let configuration = CommandConfiguration(
    abstract: "Draws a graph.", discussion: "svg needs graphviz: the program 'dot' on the path.")

  @Argument(help: ArgumentHelp("The entry file of the graph.", valueName: "graph"), completion: .file(extensions: ["lua"]))
  var graph: String

  @Option(help: "What to write.")
  var format = Format.mermaid

  @Option(name: .shortAndLong, help: ArgumentHelp("Write it to a file.", valueName: "file"), completion: .file())
  var output: String?

  @OptionGroup var graphOptions: GraphOptions

  func run() throws {
    let graph = try graphOptions.graph(of: graph)
    var file = try ResultFile(output)
    do {
      switch format {
      case .mermaid: try file.write(Array(GraphDrawing.mermaid(graph).utf8))
      case .dot: try file.write(Array(GraphDrawing.dot(graph).utf8))
      case .svg: try file.write(Graphviz.svg(of: GraphDrawing.dot(graph)))
      }
    } catch {
      file.discard()
      throw error
    }
  }
}

/// Graphviz's program `dot`.
enum Graphviz {
  /// - Throws: when it is not there, or fails; its own words are on standard error then.
  static func svg(of dot: String) throws(CommandFailure) -> [UInt8] {
    // A file between the two: whoever writes to a pipe and reads from another one can wait for itself.
    guard let input = tmpfile() else { throw CommandFailure(.failed, "no file for graphviz: \(FileBytes.reason(errno))") }
    defer { fclose(input) }
    let problem = Array(dot.utf8).withUnsafeBufferPointer { FileBytes.write($0, to: fileno(input)) }
    guard problem == 0 else { throw CommandFailure(.failed, "no file for graphviz: \(FileBytes.reason(problem))") }
    rewind(input)
    return try run(input: fileno(input))
  }

  private static func run(input: Int32) throws(CommandFailure) -> [UInt8] {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw CommandFailure(.failed, "no pipe: \(FileBytes.reason(errno))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    var words: [UnsafeMutablePointer<CChar>?] = [strdup("dot"), strdup("-Tsvg"), nil]
    defer { words.forEach { free($0) } }
    var child: pid_t = 0
    let problem = posix_spawnp(&child, "dot", &actions, nil, &words, environ)
    close(ends[1])
    guard problem == 0 else {
      let way = "write --format dot and draw that elsewhere, or install graphviz (Debian: apt-get install graphviz)"
      throw CommandFailure(
        .failed, problem == ENOENT ? "svg needs graphviz, and there is no 'dot' on the path; \(way)" : "dot: \(FileBytes.reason(problem))")
    }
    let picture: [UInt8]
    do { picture = try FileBytes.read(descriptor: ends[0], named: "dot") } catch { throw CommandFailure(.failed, error.message) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    guard status == 0, !picture.isEmpty else { throw CommandFailure(.failed, "graphviz could not draw the graph") }
    return picture
  }
}
