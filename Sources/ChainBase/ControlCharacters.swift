extension String {
  /// A script's text as messages and logs may carry it: control characters are escaped as Lua writes them, so that none
  /// moves a terminal's cursor. Tabs stay; newlines do unless it is to be one line, where they are `\n`.
  package func escapingControls(asLine: Bool = false) -> String {
    func isControl(_ scalar: Unicode.Scalar) -> Bool {
      scalar.value < 32 && scalar != "\t" && (asLine || scalar != "\n") || (127..<160).contains(scalar.value)
    }
    guard unicodeScalars.contains(where: isControl) else { return self }
    var escaped = ""
    for scalar in unicodeScalars {
      if !isControl(scalar) {
        escaped.unicodeScalars.append(scalar)
      } else {
        escaped += scalar == "\n" ? "\\n" : "\\\(scalar.value)"
      }
    }
    return escaped
  }
}
