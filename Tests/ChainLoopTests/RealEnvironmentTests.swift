import ChainLoop
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite("The real environment", .timeLimit(.minutes(2)))
struct RealEnvironmentTests {
  private let environment = RealEnvironment()

  @Test("ten thousand posts from eight threads all arrive, each sender's in order")
  func manySenders() {
    let record = Record<[Int]>()
    let loop = ScriptedClient().makeLoop(in: environment)
    loop.start()
    let senders = (0..<8).map { sender in
      let sending = ScriptedClient()
      sending.started = { _ in
        for number in 0..<1_250 { loop.post { record.add([sender, number]) } }
      }
      return sending.makeLoop(in: environment, name: "sender-\(sender)")
    }
    for sender in senders { sender.start() }
    #expect(environment.wait { record.count == 10_000 })
    for sender in 0..<8 {
      #expect(record.entries.filter { $0[0] == sender }.map { $0[1] } == Array(0..<1_250))
    }
    for sender in senders { sender.stop() }
    loop.stop()
  }

  @Test("a sleeping loop is woken each time")
  func sleeps() {
    let record = Record<Int>()
    let loop = ScriptedClient().makeLoop(in: environment)
    loop.start()
    for number in 1...300 {
      loop.post { record.add(number) }
      #expect(environment.wait { record.count == number })
    }
    loop.stop()
  }

  @Test("the loop's thread has a name, a small stack, and no signals but faults")
  func thread() {
    let record = Record<String>()
    let loop = ScriptedClient().makeLoop(in: environment, name: "lane-7")
    loop.start()
    loop.post {
      #if os(Linux)
        record.add("named \(systemName())")
        // ThreadSanitizer makes every stack bigger.
        let isSanitized = dlsym(nil, "__tsan_init") != nil
        // The system may hand out the stack of a thread that has ended, up to four times as large as what was asked for.
        let isAsAsked = (2 << 20...8 << 20).contains(stackSize())
        if !isSanitized && !isAsAsked { record.add("stack of \(stackSize())") }
      #endif
      var blocked = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &blocked)
      for signal in [SIGTERM, SIGINT, SIGUSR1, SIGPIPE] where sigismember(&blocked, signal) == 0 {
        record.add("signal \(signal) is open")
      }
      for signal in [SIGSEGV, SIGBUS, SIGABRT] where sigismember(&blocked, signal) == 1 {
        record.add("signal \(signal) is blocked")
      }
      record.add("end")
    }
    #expect(environment.wait { record.entries.last == "end" })
    #if os(Linux)
      #expect(record.entries == ["named lane-7", "end"])
    #else
      #expect(record.entries == ["end"])
    #endif
    loop.stop()
  }

  #if os(Linux)
    /// The calling thread's name, as `ps` shows it.
    private func systemName() -> String {
      guard let file = fopen("/proc/thread-self/comm", "r") else { return "" }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 64)
      let length = fread(&line, 1, 63, file)
      return String(decoding: line[..<max(0, length - 1)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The calling thread's. The headers hide the GNU call from Swift.
    private func stackSize() -> Int {
      typealias GetAttributes = @convention(c) (pthread_t, UnsafeMutablePointer<pthread_attr_t>) -> Int32
      let call = unsafeBitCast(dlsym(nil, "pthread_getattr_np"), to: GetAttributes.self)
      // Found by its name, so that the optimiser cannot know it and ask on another thread.
      let ownThread = unsafeBitCast(dlsym(nil, "pthread_self"), to: (@convention(c) () -> pthread_t).self)
      var attributes = pthread_attr_t()
      var size = 0
      _ = call(ownThread(), &attributes)
      pthread_attr_getstacksize(&attributes, &size)
      pthread_attr_destroy(&attributes)
      return size
    }

    private func niceness() -> Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }

    @Test("workers are as many as cores, and nicer than a loop")
    func workerThreads() {
      let record = Record<Int32>()
      let release = Atomic<Bool>(false)
      let limit = sysconf(Int32(_SC_NPROCESSORS_ONLN))
      for _ in 0..<(limit + 5) {
        environment.runOnWorker {
          record.add(niceness())
          while !release.load(ordering: .relaxed) { usleep(200) }
        }
      }
      #expect(environment.wait { record.count == limit })
      usleep(20_000)
      #expect(record.count == limit)
      release.store(true, ordering: .relaxed)
      #expect(environment.wait { record.count == limit + 5 })
      let own = niceness()
      #expect(record.entries.allSatisfy { $0 == min(19, max(own, 5)) })
    }
  #endif

  @Test("signals become calls, and stop gives them back")
  func signals() {
    let record = Record<Int32>()
    let watch = environment.watchSignals([SIGUSR1, SIGUSR2]) { record.add($0) }
    kill(getpid(), SIGUSR1)
    #expect(environment.wait { record.count == 1 })
    kill(getpid(), SIGUSR2)
    #expect(environment.wait { record.count == 2 })
    #expect(record.entries == [SIGUSR1, SIGUSR2])
    watch.stop()
    var action = sigaction()
    sigaction(SIGUSR1, nil, &action)
    #if os(Linux)
      #expect(action.__sigaction_handler.sa_handler == nil)
    #endif
  }

  @Test("the clocks are the system's")
  func clocks() {
    let first = environment.now()
    usleep(2_000)
    #expect(environment.now() - first >= 2_000_000)
    #expect(abs(environment.wallClock() / 1_000_000_000 - Int64(time(nil))) <= 1)
    #expect(environment.random() != environment.random())
    #expect(environment.instructionsPerSlice == 0)
  }
}
