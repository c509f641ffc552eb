/// Calls that wait for a slot, taking turns request by request, so that a request's thousand calls do not keep
/// another's single one waiting.
struct FairQueue {
  private var requests: [ObjectIdentifier] = []
  private var calls: [ObjectIdentifier: [CallRef]] = [:]
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func add(_ call: CallRef) {
    let key = ObjectIdentifier(call.pointee.request.takeUnretainedValue())
    if calls[key, default: []].isEmpty { requests.append(key) }
    calls[key, default: []].append(call)
    count += 1
  }

  mutating func popFirst() -> CallRef? {
    guard !requests.isEmpty else { return nil }
    let key = requests.removeFirst()
    guard var waiting = calls.removeValue(forKey: key), !waiting.isEmpty else { return nil }
    let call = waiting.removeFirst()
    count -= 1
    if !waiting.isEmpty {
      calls[key] = waiting
      requests.append(key)
    }
    return call
  }

  mutating func remove(_ call: CallRef) {
    let key = ObjectIdentifier(call.pointee.request.takeUnretainedValue())
    guard var waiting = calls[key], let position = waiting.firstIndex(of: call) else { return }
    waiting.remove(at: position)
    count -= 1
    calls[key] = waiting.isEmpty ? nil : waiting
    if waiting.isEmpty { requests.removeAll { $0 == key } }
  }
}
