import ChainBase

/// A graph as text that draws itself: Mermaid for pages, DOT for graphviz. Entrypoints are marked, edges carry types.
package enum GraphDrawing {
  package static func mermaid(_ graph: Graph) -> String {
    var lines = ["flowchart LR"]
    for position in drawn(graph) {
      let chainlet = graph.chainlets[position]
      lines.append("  \(chainlet.name)[\"\(quoted(chainlet.name))\(doc(chainlet, newline: "<br/>", quoted))\"]")
      for use in chainlet.uses { lines.append("  \(chainlet.name)_\(use.path.joined(separator: "_"))[(\"\(quoted(use.name)): \(quoted(use.kind))\")]") }
    }
    for entry in graph.entrypoints {
      let target = graph.chainlets[entry.chainlet]
      lines.append("  entry_\(entry.name)([\"\(quoted(entry.name))\"]) -->|\"\(quoted(types(target)))\"| \(target.name)")
    }
    for position in drawn(graph) {
      let chainlet = graph.chainlets[position]
      for need in chainlet.needs {
        let label = graph.chainlet(named: need.target).map { "\(need.name): \(types($0))" } ?? need.name
        lines.append("  \(chainlet.name) -->|\"\(quoted(label))\"| \(need.target)")
      }
      for use in chainlet.uses { lines.append("  \(chainlet.name) -.-> \(chainlet.name)_\(use.path.joined(separator: "_"))") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  package static func dot(_ graph: Graph) -> String {
    var lines = ["digraph chain {", "  rankdir = LR", "  node [shape = box, fontname = \"sans-serif\"]", "  edge [fontname = \"sans-serif\", fontsize = 10]"]
    for position in drawn(graph) {
      let chainlet = graph.chainlets[position]
      lines.append("  \"\(chainlet.name)\" [label = \"\(chainlet.name)\(doc(chainlet, newline: "\\n", escaped))\"]")
      for use in chainlet.uses { lines.append("  \"\(chainlet.name).\(use.name)\" [shape = cylinder, label = \"\(use.name): \(escaped(use.kind))\"]") }
    }
    for entry in graph.entrypoints {
      let target = graph.chainlets[entry.chainlet]
      lines.append("  \"entry \(entry.name)\" [shape = oval, label = \"\(entry.name)\"]")
      lines.append("  \"entry \(entry.name)\" -> \"\(target.name)\" [label = \"\(escaped(types(target)))\"]")
    }
    for position in drawn(graph) {
      let chainlet = graph.chainlets[position]
      for need in chainlet.needs {
        let label = graph.chainlet(named: need.target).map { "\(need.name): \(types($0))" } ?? need.name
        lines.append("  \"\(chainlet.name)\" -> \"\(need.target)\" [label = \"\(escaped(label))\"]")
      }
      for use in chainlet.uses { lines.append("  \"\(chainlet.name)\" -> \"\(chainlet.name).\(use.name)\" [style = dashed]") }
    }
    lines.append("}")
    return lines.joined(separator: "\n") + "\n"
  }

  /// Callers before callees: the picture reads from left to right.
  private static func drawn(_ graph: Graph) -> [Int] { graph.live.reversed() }

  private static func types(_ chainlet: ChainletDeclaration) -> String {
    "\(chainlet.input.label) → \(chainlet.output?.label ?? "nothing")"
  }

  private static func doc(_ chainlet: ChainletDeclaration, newline: String, _ escape: (String) -> String) -> String {
    guard let first = chainlet.doc?.split(separator: "\n").first else { return "" }
    return newline + escape(String(first.prefix(60)))
  }

  private static func quoted(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("\"", with: "&quot;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("|", with: "&#124;").replacing("\n", with: " ")
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: " ")
  }
}
