import ChainBase
import ChainLoop
import CLuaGuard
import LuaBridge

/// A stream whose items come from outside.
final class StreamFeeding {
  let feed: ChainFeed
  /// The task that waits for the next item.
  var asking: LoopTasks.Running?
  var isAsking = false
  /// Items that have been read.
  var count = 0

  init(_ feed: ChainFeed) { self.feed = feed }
}

extension Lane {
  /// Pushes the stream that fills the stream field of a request's input; false when there is nothing to fill it.
  func pushFed(_ call: CallRef, onto stack: LuaStack) -> Bool {
    let state = call.state
    if let fed = call.existingExtra?.inputs.values.first(where: { $0.feeding != nil }) { // the input is read once more
      pushHandle(of: fed, onto: stack, in: state)
      return true
    }
    guard let feed = call.pointee.request.takeUnretainedValue().feed, let field = state.program.input.streamField else { return false }
    let link: SchemaLink
    do throws(LuaError) { link = try state.link(to: field.items) } catch { return false }
    let channel = StreamChannel(
      id: nextChannel(), name: "\(state.name).input.\(field.name)", items: link, result: nil,
      reader: .state(state, items: link, result: nil))
    channel.feeding = StreamFeeding(feed)
    channels[channel.id] = channel
    channel.owner = call
    call.extra.inputs[channel.id] = channel
    pushHandle(of: channel, onto: stack, in: state)
    return true
  }

  /// Asks for the next item while there is room for it.
  func askFeed(_ channel: StreamChannel) {
    guard let feeding = channel.feeding, !feeding.isAsking, channel.end == nil, channel.hasRoom, case .state = channel.reader else { return }
    feeding.isAsking = true
    let (next, id) = (feeding.feed.next, channel.id)
    let running = nativeTasks.start { [self] in
      let result: Result<ChainOutput?, any Error>
      do { result = .success(try await next()) } catch { result = .failure(error) }
      comeBack { feedAnswered(id, result) }
    }
    if feeding.isAsking { feeding.asking = running }
  }

  private func feedAnswered(_ id: Int32, _ result: Result<ChainOutput?, any Error>) {
    guard let channel = channels[id], let feeding = channel.feeding, case .state(let state, let items, _) = channel.reader else { return }
    feeding.isAsking = false
    feeding.asking = nil
    guard channel.end == nil else { return }
    var failure: Failure?
    switch result {
    case .success(let item?):
      let asker = channel.asker
      if asker == nil || !channel.waitsForResult { channel.add(.output(item)) }
      if let asker, let first = channel.queue.first { take(first, of: channel, as: items, asker) }
      return askFeed(channel)
    case .success(nil): break
    case .failure(let error as Failure): failure = error
    case .failure(let error):
      failure = Failure(code: Failure.Code.failed, message: "\(channel.name): \(error)")
    }
    channel.end = failure.map { .failed(KeptFailure($0, in: state)) } ?? .finished(0)
    tellReader(channel, state, 0, failure)
  }

  /// An item does not fit its type: nothing after it is read.
  func endFeed(_ channel: StreamChannel, _ failure: Failure) {
    channel.feeding?.asking?.cancel()
    channel.dropQueue()
    channel.end = .failed(KeptFailure(failure, in: channel.owner?.state))
  }
}
