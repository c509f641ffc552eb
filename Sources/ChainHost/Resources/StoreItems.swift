import ChainBase

/// The values of a store by key, and in the order of their last use. Nothing here takes longer the more there are.
struct StoreItems {
  private final class Item {
    let key: StoreKey
    let value: ChainValue
    let bytes: Int
    /// Monotonic nanoseconds.
    let expires: UInt64
    /// Neighbours by use. The dictionary keeps both: who goes is unlinked first.
    unowned var newer: Item?
    unowned var older: Item?

    init(_ key: StoreKey, _ value: ChainValue, bytes: Int, expires: UInt64) {
      self.key = key
      self.value = value
      self.bytes = bytes
      self.expires = expires
    }
  }

  private var items: [StoreKey: Item] = [:]
  private unowned var newest: Item?
  private unowned var oldest: Item?
  private(set) var bytes = 0

  var count: Int { items.count }

  /// What an item takes, roughly.
  static func size(_ key: StoreKey, _ value: ChainValue) -> Int { 192 + key.bytes.count + PlainValue.size(of: value) }

  /// The value of a key, which counts as used.
  mutating func use(_ key: StoreKey, at now: UInt64) -> (value: ChainValue, expires: UInt64)? {
    guard let item = items[key] else { return nil }
    guard item.expires > now else {
      remove(item)
      return nil
    }
    unlink(item)
    link(item)
    return (item.value, item.expires)
  }

  mutating func set(_ key: StoreKey, _ value: ChainValue, bytes size: Int, expires: UInt64) {
    remove(key)
    let item = Item(key, value, bytes: size, expires: expires)
    items[key] = item
    bytes += size
    link(item)
  }

  mutating func remove(_ key: StoreKey) {
    if let item = items[key] { remove(item) }
  }

  /// Drops what was used least recently, but not the newest, until there is room.
  mutating func shrink(toItems mostItems: Int, bytes mostBytes: Int) {
    while items.count > mostItems || bytes > mostBytes, let oldest, oldest !== newest { remove(oldest) }
  }

  private mutating func remove(_ item: Item) {
    unlink(item)
    bytes -= item.bytes
    items[item.key] = nil
  }

  private mutating func link(_ item: Item) {
    item.older = newest
    item.newer = nil
    newest?.newer = item
    newest = item
    if oldest == nil { oldest = item }
  }

  private mutating func unlink(_ item: Item) {
    if let newer = item.newer { newer.older = item.older } else { newest = item.older }
    if let older = item.older { older.newer = item.newer } else { oldest = item.newer }
  }
}
