import CUV

/// A value behind a mutex, with a condition to wait for.
///
/// The standard library's `Mutex` would do where nobody waits, but ThreadSanitizer does not see into it: its contended
/// path is in a library that is not instrumented, so that every value behind it is reported as a race.
package final class Monitor<Value>: @unchecked Sendable {
  // Unchecked: `value` is only touched while `mutex` is held.
  private let mutex = UnsafeMutablePointer<uv_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<uv_cond_t>.allocate(capacity: 1)
  private var value: Value

  package init(_ value: Value) {
    self.value = value
    let mutexStatus = uv_mutex_init(mutex)
    let conditionStatus = uv_cond_init(changed)
    precondition(mutexStatus == 0 && conditionStatus == 0, "the system has no mutex left")
  }

  deinit {
    uv_cond_destroy(changed)
    uv_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Any thread. `body` must not call out: it runs with the mutex held.
  package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
    uv_mutex_lock(mutex)
    defer { uv_mutex_unlock(mutex) }
    return body(&value)
  }

  /// Waits until `body` gives a result; it is asked again after each `signal`. Any thread but a loop's.
  package func wait<Result>(for body: (inout Value) -> Result?) -> Result {
    uv_mutex_lock(mutex)
    defer { uv_mutex_unlock(mutex) }
    while true {
      if let result = body(&value) { return result }
      uv_cond_wait(changed, mutex)
    }
  }

  /// As `wait(for:)`, for so long at most: nil when the time is over.
  package func wait<Result>(atMost nanoseconds: UInt64, for body: (inout Value) -> Result?) -> Result? {
    uv_mutex_lock(mutex)
    defer { uv_mutex_unlock(mutex) }
    let end = uv_hrtime() + nanoseconds
    while true {
      if let result = body(&value) { return result }
      let now = uv_hrtime()
      guard now < end else { return nil }
      uv_cond_timedwait(changed, mutex, end - now)
    }
  }

  /// Any thread. Wakes one that waits.
  package func signal() { uv_cond_signal(changed) }

  /// Any thread. Wakes all that wait.
  package func broadcast() { uv_cond_broadcast(changed) }
}
