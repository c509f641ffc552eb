import CUV

/// The libuv that really runs.
package enum LoopRelease {
  /// `1.44.2`.
  package static var text: String { String(cString: uv_version_string()) }
}
