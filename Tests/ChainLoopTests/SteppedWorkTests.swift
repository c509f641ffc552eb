import ChainLoop
import Testing

@Suite("Work in pieces")
struct SteppedWorkTests {
  @Test("each piece is done when it is asked for, and the work keeps its place between them")
  func pieces() {
    var done: [Int] = []
    let work = SteppedWork { pause in
      for piece in 1...3 {
        done.append(piece)
        #expect(pause())
      }
      done.append(4)
    }
    #expect(done.isEmpty)
    for piece in 1...3 {
      #expect(!work.step())
      #expect(done == Array(1...piece))
    }
    #expect(work.step())
    #expect(done == [1, 2, 3, 4])
    #expect(work.step(), "it is over and stays so")
    #expect(done == [1, 2, 3, 4])
  }

  @Test("work that is not wanted any more is told so, and its end is waited for")
  func ended() {
    var heard: [Bool] = []
    let work = SteppedWork { pause in
      while heard.last != false { heard.append(pause()) }
      heard.append(pause())
    }
    #expect(!work.step())
    work.end()
    #expect(heard == [false, false])
    work.end()
    #expect(work.step())
  }

  @Test("work that was never begun is not begun by its end; work that is forgotten ends")
  func forgotten() {
    final class Token {}
    weak var token: Token?
    var begun = 0
    do {
      let kept = Token()
      token = kept
      let first = SteppedWork { _ in begun += 1; withExtendedLifetime(kept) {} }
      first.end()
      first.end()
      #expect(first.step(), "it is over")
      let second = SteppedWork { pause in begun += 10; while pause() {}; withExtendedLifetime(kept) {} }
      _ = second.step()
    }
    #expect(begun == 10)
    #expect(token == nil)
  }
}
