/// A float of 16 bits (IEEE 754 binary16) for storage: sums are done in `Float`. Swift's own `Float16` is missing on
/// Intel Macs.
public struct Half: BitwiseCopyable, Sendable, Hashable {
  public var bits: UInt16

  public init(bits: UInt16) { self.bits = bits }

  /// Rounds to the nearest, ties to even; what is too large becomes infinite.
  public init(_ value: Float) {
    let word = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: word >> 16) & 0x8000
    let magnitude = word & 0x7FFF_FFFF
    if magnitude > 0x7F80_0000 { // NaN keeps the top of its payload
      bits = sign | 0x7E00 | UInt16(truncatingIfNeeded: magnitude >> 13) & 0x1FF
    } else if magnitude >= 0x477F_F000 { // rounds past 65504
      bits = sign | 0x7C00
    } else if magnitude < 0x3880_0000 { // subnormal: the sum lines the bits up and rounds
      let aligned = Float(bitPattern: magnitude) + 0.5
      bits = sign | UInt16(truncatingIfNeeded: aligned.bitPattern &- 0x3F00_0000)
    } else {
      let odd = magnitude >> 13 & 1
      bits = sign | UInt16(truncatingIfNeeded: (magnitude &- 0x3800_0000 &+ 0xFFF &+ odd) >> 13)
    }
  }

  public var float: Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
