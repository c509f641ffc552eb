import ChainBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The few functions of ICU that are used, from the machine's library. It is opened at the first use: it takes 30 MB, and
/// its functions carry its version in their names, so that no program can be linked with it for more than one release.
struct ICU: @unchecked Sendable {
  // Safe to share: ICU's normalizers never change, and the rest are functions.
  typealias Normalizer = OpaquePointer
  let normalizer: [UnicodeForm: Normalizer]
  /// The decomposition of one character in UTF-16; its length, or -1 when there is none.
  let decomposition: @convention(c) (Normalizer, Int32, UnsafeMutablePointer<UInt16>, Int32, UnsafeMutablePointer<Int32>) -> Int32
  /// What two characters compose to, or a negative number.
  let composition: @convention(c) (Normalizer, Int32, Int32) -> Int32
  /// Whether what comes before a character never has a part in its normal form.
  let hasBoundaryBefore: @convention(c) (Normalizer, Int32) -> Int8
  let openBreaks: @convention(c) (Int32, UnsafePointer<CChar>, UnsafePointer<UInt16>?, Int32, UnsafeMutablePointer<Int32>) -> OpaquePointer?
  /// Text in UTF-8, without a copy of it.
  let openText: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int64, UnsafeMutablePointer<Int32>) -> OpaquePointer?
  let closeText: @convention(c) (OpaquePointer) -> OpaquePointer?
  let setText: @convention(c) (OpaquePointer, OpaquePointer, UnsafeMutablePointer<Int32>) -> Void
  let nextBreak: @convention(c) (OpaquePointer) -> Int32
  let ruleStatus: @convention(c) (OpaquePointer) -> Int32
  let closeBreaks: @convention(c) (OpaquePointer) -> Void

  private static let loaded: ICU? = ICU()

  /// - Throws: a failure that says what to install.
  static func shared() throws(Failure) -> ICU {
    if let loaded { return loaded }
    throw Failure(
      code: Failure.Code.unavailable,
      message: "ICU was not found, which knows Unicode's rules; install it (Debian: libicu-dev, or libicu with its number)")
  }

  private init?() {
    guard let (library, suffix) = ICU.open() else { return nil }
    func find<Function>(_ name: String, _: Function.Type) -> Function? {
      dlsym(library, name + suffix).map { unsafeBitCast($0, to: Function.self) }
    }
    typealias Instance = @convention(c) (UnsafeMutablePointer<Int32>) -> OpaquePointer?
    var normalizer: [UnicodeForm: Normalizer] = [:]
    for (form, name) in [(UnicodeForm.nfc, "unorm2_getNFCInstance"), (.nfd, "unorm2_getNFDInstance"), (.nfkc, "unorm2_getNFKCInstance"), (.nfkd, "unorm2_getNFKDInstance")] {
      var status: Int32 = 0
      guard let instance = find(name, Instance.self)?(&status), status <= 0 else { return nil }
      normalizer[form] = instance
    }
    guard let decomposition = find("unorm2_getDecomposition", type(of: self.decomposition)),
      let composition = find("unorm2_composePair", type(of: self.composition)),
      let hasBoundaryBefore = find("unorm2_hasBoundaryBefore", type(of: self.hasBoundaryBefore)),
      let openText = find("utext_openUTF8", type(of: self.openText)), let closeText = find("utext_close", type(of: self.closeText)),
      let setText = find("ubrk_setUText", type(of: self.setText)),
      let openBreaks = find("ubrk_open", type(of: self.openBreaks)), let nextBreak = find("ubrk_next", type(of: self.nextBreak)),
      let ruleStatus = find("ubrk_getRuleStatus", type(of: self.ruleStatus)),
      let closeBreaks = find("ubrk_close", type(of: self.closeBreaks))
    else { return nil }
    (self.normalizer, self.decomposition, self.composition) = (normalizer, decomposition, composition)
    (self.hasBoundaryBefore, self.openText, self.closeText, self.setText) = (hasBoundaryBefore, openText, closeText, setText)
    (self.openBreaks, self.nextBreak, self.ruleStatus, self.closeBreaks) = (openBreaks, nextBreak, ruleStatus, closeBreaks)
  }

  /// The library, and what its version adds to the names.
  private static func open() -> (UnsafeMutableRawPointer, String)? {
    #if canImport(Darwin)
    return dlopen("/usr/lib/libicucore.dylib", RTLD_NOW | RTLD_LOCAL).map { ($0, "") }
    #else
    for version in (60...99).reversed() {
      if let library = dlopen("libicuuc.so.\(version)", RTLD_NOW | RTLD_LOCAL) { return (library, "_\(version)") }
    }
    return nil
    #endif
  }
}
