import ChainBase

/// Unicode's normal forms.
public enum UnicodeForm: String, Sendable, Hashable, CaseIterable {
  case nfc, nfd, nfkc, nfkd

  var composes: Bool { self == .nfc || self == .nfkc }
}

extension UnicodeForm {
  /// So much of a text is normalized in one step, in bytes, and so much where it can be cut nowhere. After that it is cut
  /// all the same, as Unicode's stream-safe form allows long before.
  private static let window = 4096, longestWindow = 64 << 10

  /// Gives `body` a text, UTF-8, in this form, part after part.
  /// - Parameter body: false: the rest is not wanted.
  /// - Throws: a failure when ICU is not there.
  public func normalize(_ text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Bool) throws {
    var start = 0
    while start < text.count {
      let end = try end(of: text, from: start)
      let part = UnsafeRawBufferPointer(rebasing: text[start..<end])
      start = end
      if part.allSatisfy({ $0 < 0x80 }) {
        guard try body(part) else { return }
        continue
      }
      var tracked = TrackedText(String(decoding: part, as: UTF8.self))
      try tracked.normalize(self)
      var normal = tracked.string
      guard try normal.withUTF8({ try body(UnsafeRawBufferPointer($0)) }) else { return }
    }
  }

  /// Where a part that begins at `start` may end: nothing that follows has to do with it.
  private func end(of text: UnsafeRawBufferPointer, from start: Int) throws -> Int {
    guard text.count - start > UnicodeForm.window else { return text.count }
    var length = UnicodeForm.window
    while true {
      let last = text.characterStart(atOrBefore: min(start + length, text.count - 1))
      var place = last
      while place > start {
        if try isBoundary(before: text.character(at: place).scalar) { return place }
        place = text.characterStart(atOrBefore: place - 1)
      }
      if start + length >= text.count { return text.count }
      if length >= UnicodeForm.longestWindow { return last }
      length *= 2
    }
  }

  private func isBoundary(before scalar: Unicode.Scalar) throws -> Bool {
    if scalar.value < 0x80 { return true }
    let icu = try ICU.shared()
    guard let normalizer = icu.normalizer[self] else { return true }
    return icu.hasBoundaryBefore(normalizer, Int32(scalar.value)) != 0
  }
}

extension TrackedText {
  /// A character of the text that is being normalized, and how many more of the result than of the source there are by it:
  /// 1 for what a decomposition adds, less for what a composition takes away.
  private struct Changed {
    var scalar: Unicode.Scalar
    var change: Int
    var combiningClass: UInt8

    init(_ scalar: Unicode.Scalar, change: Int) {
      self.scalar = scalar
      self.change = change
      combiningClass = scalar.value < 0x300 ? 0 : scalar.properties.canonicalCombiningClass.rawValue
    }
  }

  /// Characters of the result are given their places in the source one after the other, as the reference does it.
  mutating func normalize(_ form: UnicodeForm) throws {
    // Below U+00C0 nothing decomposes canonically; below U+00A0 not at all.
    if scalars.allSatisfy({ $0.value < 0xA0 }) { return }
    let icu = try ICU.shared()
    guard let normalizer = icu.normalizer[form] else { return }
    var text = decomposed(icu, normalizer)
    TrackedText.orderMarks(&text)
    if form.composes { text = TrackedText.composed(text, icu, normalizer) }
    let source = origins
    scalars = text.map(\.scalar)
    var next = 0
    origins = text.map { changed in
      defer { if changed.change <= 0 { next += 1 - changed.change } }
      return source[Swift.max(0, Swift.min(changed.change > 0 ? next - 1 : next, source.count - 1))]
    }
  }

  private func decomposed(_ icu: ICU, _ normalizer: ICU.Normalizer) -> [Changed] {
    var result: [Changed] = []
    result.reserveCapacity(count)
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 64) { buffer in
      guard let units = buffer.baseAddress else { return }
      for scalar in scalars {
        var status: Int32 = 0
        let length = scalar.value < 0xA0 ? -1 : icu.decomposition(normalizer, Int32(scalar.value), units, 64, &status)
        guard length > 0, status <= 0 else {
          result.append(Changed(scalar, change: 0))
          continue
        }
        let decoded = String(decoding: UnsafeBufferPointer(start: units, count: Int(length)), as: UTF16.self)
        for (place, part) in decoded.unicodeScalars.enumerated() { result.append(Changed(part, change: place == 0 ? 0 : 1)) }
      }
    }
    return result
  }

  /// Marks between two characters that are none stand in the order of their classes; equal ones keep theirs.
  private static func orderMarks(_ text: inout [Changed]) {
    var start = 0
    while start < text.count {
      guard text[start].combiningClass > 0 else {
        start += 1
        continue
      }
      var end = start
      while end < text.count, text[end].combiningClass > 0 { end += 1 }
      if end - start > 1 {
        let marks = Array(text[start..<end])
        let order: [Int] = marks.indices.sorted { (a: Int, b: Int) -> Bool in
          let (one, other) = (marks[a].combiningClass, marks[b].combiningClass)
          return one == other ? a < b : one < other
        }
        text.replaceSubrange(start..<end, with: order.map { marks[$0] })
      }
      start = end
    }
  }

  private static func composed(_ text: [Changed], _ icu: ICU, _ normalizer: ICU.Normalizer) -> [Changed] {
    var result: [Changed] = []
    result.reserveCapacity(text.count)
    var starter: Int?
    var lastClass: UInt8 = 0
    for changed in text {
      if let place = starter, lastClass < changed.combiningClass || place == result.count - 1 {
        let composed = icu.composition(normalizer, Int32(result[place].scalar.value), Int32(changed.scalar.value))
        if composed >= 0, let whole = Unicode.Scalar(UInt32(composed)) {
          result[place] = Changed(whole, change: result[place].change + changed.change - 1)
          continue
        }
      }
      if changed.combiningClass == 0 { starter = result.count }
      lastClass = changed.combiningClass
      result.append(changed)
    }
    return result
  }
}
