import ChainBase
import ChainLoop
import CLuaGuard
import LuaBridge

/// A stream whose items come from outside.
final class StreamFeeding {
  let feed: ChainFeed
  let field: String
  /// The task that waits for the next item.
  var asking: LoopTasks.Running?
  var isAsking = false
  /// Items that have come.
  var count = 0

  init(_ feed: ChainFeed, field: String) {
    self.feed = feed
    self.field = field
  }
}

extension Lane {
  /// Pushes the stream that fills the stream field of a request's input; false when there is nothing to fill it.
  func pushFed(_ call: CallRef, onto stack: LuaStack) -> Bool {
    let state = call.state
    guard let feed = call.pointee.request.takeUnretainedValue().feed, let field = state.program.input.streamField else { return false }
    let link: SchemaLink
    do throws(LuaError) { link = try SchemaLink(SchemaProgram(field.item), state.lua) } catch { return false }
    let channel = StreamChannel(
      id: nextChannel(), name: "\(state.name).input.\(field.name)", items: link, result: nil,
      reader: .state(state, items: link, result: nil))
    channel.ownLinks.append(link)
    channel.feeding = StreamFeeding(feed, field: field.name)
    channels[channel.id] = channel
    channel.owner = call
    call.extra.inputs.append(channel)
    stack.pushHandle(UInt64(UInt32(bitPattern: channel.id)), metatable: state.streamMetatable)
    return true
  }

  /// Asks for the next item while there is room for it.
  func askFeed(_ channel: StreamChannel) {
    guard let feeding = channel.feeding, !feeding.isAsking, channel.end == nil, channel.hasRoom, case .state = channel.reader else { return }
    feeding.isAsking = true
    let (next, answer) = (feeding.feed.next, FeedAnswer(lane: self, channel: channel.id))
    let running = nativeTasks.start {
      do { answer.give(.success(try await next())) } catch { answer.give(.failure(error)) }
    }
    if feeding.isAsking { feeding.asking = running }
  }

  fileprivate func feedAnswered(_ id: Int32, _ result: Result<ChainOutput?, any Error>) {
    guard let channel = channels[id], let feeding = channel.feeding, case .state(let state, let items, _) = channel.reader else { return }
    feeding.isAsking = false
    feeding.asking = nil
    var failure: Failure?
    switch result {
    case .success(let item?):
      feeding.count += 1
      failure = take(item, from: channel, feeding, into: state, items)
      if failure == nil { return askFeed(channel) }
    case .success(nil): break
    case .failure(let error as Failure): failure = error
    case .failure(let error):
      failure = Failure(code: Failure.Code.failed, message: "\(channel.name): \(error)")
    }
    channel.end = failure.map { .failed($0) } ?? .finished(0)
    tellReader(channel, state, 0, failure)
  }

  /// Gives an item to whoever waits for it, or keeps it.
  private func take(
    _ item: ChainOutput, from channel: StreamChannel, _ feeding: StreamFeeding, into state: ChainletState, _ link: SchemaLink
  ) -> Failure? {
    let reader = channel.waiting.flatMap { $0.isWaiting && !channel.waitsForResult ? $0.call : nil }
    let target = reader?.waiter ?? state.lua.main
    let memory = state.core.pointee.lua
    let before = memory.pointee.memory.used
    if let reader { reader.waiter.setTop(0) }
    memory.pointee.memory.host += 1
    let failure = decode(
      item, as: link, onto: target, root: "\(channel.name)[\(feeding.count)]", of: state)
    memory.pointee.memory.host -= 1
    if let failure { return failure }
    if let reader {
      channel.waiting = nil
      wake(reader, answers: 1)
    } else if channel.waitsForResult, channel.waiting != nil { // only the end is wanted
      target.pop()
    } else {
      memory.pointee.memory.host += 1
      let bytes = max(0, memory.pointee.memory.used - before)
      channel.queue.append(.kept(target.keep(), bytes: bytes))
      channel.queuedBytes += bytes
      memory.pointee.memory.host -= 1
    }
    if state.isOutOfMemory(), let owner = channel.owner { endForMemory(owner) }
    return nil
  }
}

/// The way back of an item. It may be sent because the channel is only looked up on its lane.
private struct FeedAnswer: @unchecked Sendable {
  let lane: Lane
  let channel: Int32

  /// On the lane's executor, so on its thread: at once, or in an event of its own.
  func give(_ result: Result<ChainOutput?, any Error>) {
    if lane.isEntered { return lane.feedAnswered(channel, result) }
    guard !lane.ended else { return }
    lane.asLane { lane.feedAnswered(channel, result) }
  }
}
