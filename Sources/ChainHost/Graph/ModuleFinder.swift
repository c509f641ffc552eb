import ChainBase
import LuaBridge

/// From module names to files, while a graph is planned: inside the graph's folder and the libraries, and nowhere else.
struct ModuleFinder {
  /// The real path of the folder of the entry file.
  let root: String
  /// Name → real path of its folder.
  let libraries: [String: String]
  /// The most bytes that a file may have.
  let limit: Int

  enum Found {
    /// The path in the bundle, and what the file holds.
    case file(path: String, Result<[UInt8], FileReader.Problem>)
    case problem(message: String, suggestion: String?)
  }

  /// Names that `require` answers itself.
  static let builtIn: Set<String> = [
    "chain", "chain.test", "json", "text", "tensor", "http", "sql", "audio", "image", "string", "table", "math", "utf8",
    "os", "debug", "coroutine",
  ]

  func find(_ name: String) -> Found {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if let problem = malformed(name, parts) { return problem }
    let first = parts[0]
    if let library = libraries[first] {
      if FileReader.exists("\(root)/\(first).lua") || FileReader.exists("\(root)/\(first)/init.lua") {
        return .problem(
          message: "'\(first)' is a library (--lib) and a module of the graph's folder",
          suggestion: "rename one of them")
      }
      return search(library, Array(parts.dropFirst()), prefix: first, name)
    }
    return search(root, parts, prefix: nil, name)
  }

  private func malformed(_ name: String, _ parts: [String]) -> Found? {
    let isWord = { (part: String) in
      !part.isEmpty && part.utf8.allSatisfy { $0 == 95 || $0 == 45 || (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
    }
    if parts.allSatisfy(isWord), name.utf8.count <= 200 { return nil }
    if name.hasSuffix(".lua") || name.contains("/") || name.contains("\\") {
      var plain = name.replacing("\\", with: "/")
      while plain.hasPrefix("./") { plain.removeFirst(2) }
      if plain.hasSuffix(".lua") { plain.removeLast(4) }
      let dotted = plain.split(separator: "/", omittingEmptySubsequences: false)
      if !plain.hasPrefix("/"), !plain.isEmpty, dotted.allSatisfy({ isWord(String($0)) }) {
        return .problem(
          message: "require takes the name of a module, not a path: '\(name)'",
          suggestion: "write require \"\(dotted.joined(separator: "."))\"")
      }
    }
    return .problem(
      message: "'\(String(name.prefix(100)))' is not the name of a module: names are words joined by dots, and no path leads out of the graph's folder",
      suggestion: nil)
  }

  private func search(_ folder: String, _ parts: [String], prefix: String?, _ name: String) -> Found {
    let inside = parts.joined(separator: "/")
    let candidates = parts.isEmpty ? ["init.lua"] : ["\(inside).lua", "\(inside)/init.lua"]
    for candidate in candidates {
      let direct = "\(folder)/\(candidate)"
      // The folder's path is real: what lies in it and is no link needs no look at each part of the way.
      if parts.count == 1, candidate.utf8.count == parts[0].utf8.count + 4 {
        do throws(FileReader.Problem) {
          return found(candidate, prefix, .success(try FileReader.read(direct, limit: limit, followingLinks: false)))
        } catch .missing {
          continue
        } catch .link {
        } catch { return found(candidate, prefix, .failure(error)) }
      }
      guard let real = FileReader.realPath(direct) else { continue }
      guard real.hasPrefix(folder == "/" ? "/" : folder + "/") else {
        return .problem(
          message: "module '\(name)' leads out of its folder: \(candidate) is a link to a file elsewhere",
          suggestion: "copy the file, or give its folder as a library with --lib")
      }
      let limit = limit
      let path = String(real.dropFirst(folder == "/" ? 1 : folder.utf8.count + 1))
      return found(path, prefix, Result { () throws(FileReader.Problem) in try FileReader.read(real, limit: limit) })
    }
    let shown = candidates.map { prefix == nil ? $0 : "\(prefix ?? "")/\($0)" }.joined(separator: " nor ")
    return .problem(
      message: "module '\(name)' is not found: there is no \(shown)", suggestion: neighbour(folder, parts, prefix, name) ?? suggestion(for: name))
  }

  private func found(_ path: String, _ prefix: String?, _ bytes: Result<[UInt8], FileReader.Problem>) -> Found {
    .file(path: prefix.map { "\($0)/\(path)" } ?? path, bytes)
  }

  /// A file of nearly that name beside where it was looked for.
  private func neighbour(_ folder: String, _ parts: [String], _ prefix: String?, _ name: String) -> String? {
    guard let last = parts.last else { return nil }
    let way = parts.dropLast()
    let names = FileReader.names(in: ([folder] + way).joined(separator: "/")).compactMap { $0.hasSuffix(".lua") ? String($0.dropLast(4)) : nil }
    return nearestName(to: last, among: names.sorted()).map { near in
      "did you mean '\(((prefix.map { [$0] } ?? []) + way + [near]).joined(separator: "."))'?"
    }
  }

  private func suggestion(for name: String) -> String? {
    let known = ModuleFinder.builtIn.sorted() + libraries.keys.sorted()
    if let near = nearestName(to: name, among: known) { return "did you mean '\(near)'?" }
    if let first = name.split(separator: ".").first, let near = nearestName(to: String(first), among: libraries.keys.sorted()) {
      return "did you mean the library '\(near)'?"
    }
    return libraries.isEmpty && name.contains(".") ? "a folder outside of the graph's is given with --lib NAME=DIR" : nil
  }
}
