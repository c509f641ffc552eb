import ArgumentParser
import CConfine
import ChainModels
import Glibc

/// `--confine` and what belongs to it: the wall around the whole process, for the day on which the sandbox has a hole.
struct Confinement: ParsableArguments {
  @Flag(
    name: .customLong("confine"),
    help: ArgumentHelp(
      "Takes from the process what a run does not need: other programs, sockets, and files once the graph is loaded."))
  var isWanted = false

  @Option(
    name: .customLong("confine-user"),
    help: ArgumentHelp("With --confine, started by root: becomes this user before it reads anything.", valueName: "name|uid"))
  var user: String?

  @Option(
    name: .customLong("confine-memory"),
    help: ArgumentHelp(
      "With --confine: megabytes of address space; 0 leaves it as it is. (default: \(Self.megabytes), at least: "
        + "\(Self.leastMegabytes), and for each lane after the first \(Self.megabytesOfALane) more)",
      valueName: "mb"))
  var memory: UInt64?

  @Option(
    name: .customLong("confine-processes"),
    help: ArgumentHelp(
      "With --confine: processes and threads of the user, those outside counted too; 0 leaves it as it is. (default: \(Self.processes))",
      valueName: "n"))
  var processes: UInt64?

  @Option(
    name: .customLong("confine-files"),
    help: ArgumentHelp("With --confine: files open at once; 0 leaves it as it is. (default: \(Self.filesBeside) and \(Self.filesOfALane) for each lane)", valueName: "n"))
  var files: UInt64?

  private static let megabytes: UInt64 = 8192
  private static let processes: UInt64 = 4096
  private static let filesBeside: UInt64 = 64
  private static let filesOfALane: UInt64 = 16
  /// Below it not even an honest graph can be loaded, on one lane.
  private static let leastMegabytes: UInt64 = 512
  /// The stack of its thread, and the 64 MB that the C library reserves for what a thread allocates.
  private static let megabytesOfALane: UInt64 = 72
  /// For signals, the watchdog, the log, loading, workers and engines.
  private static let threadsBeside: Int32 = 6

  func validate() throws {
    let given = [
      ("--confine-user", user != nil), ("--confine-memory", memory != nil), ("--confine-processes", processes != nil),
      ("--confine-files", files != nil),
    ]
    if !isWanted, let option = given.first(where: \.1)?.0 { throw ValidationError("\(option) belongs to --confine; give that too") }
    if let memory, memory > 1 << 40 { throw ValidationError("--confine-memory takes at most \(1 << 40) megabytes") }
  }

  /// What is `ofOne` with one lane.
  private static func megabytes(_ ofOne: UInt64, lanes: Int) -> UInt64 { ofOne + megabytesOfALane * UInt64(lanes - 1) }

  /// Before anything is read and before any thread is made: all but the opening of files is taken away.
  /// - Throws: when the user cannot be changed, or a limit leaves no room to work in.
  func begin(lanes: Int) throws(CommandFailure) {
    guard isWanted else { return }
    let leastFiles = Self.filesBeside / 2 + Self.filesOfALane / 2 * UInt64(lanes)
    if let files, files != 0, files < leastFiles {
      throw CommandFailure(.usage, "--confine-files \(files): with --lanes \(lanes) at least \(leastFiles) are needed")
    }
    let leastMemory = Self.megabytes(Self.leastMegabytes, lanes: lanes)
    if let memory, memory != 0, memory < leastMemory {
      throw CommandFailure(.usage, "--confine-memory \(memory): with --lanes \(lanes) at least \(leastMemory) are needed")
    }
    let account = try user.map { name throws(CommandFailure) in try Account(name) }
    if let account { try account.become() }
    var holds: [String] = []
    var missing: [String] = []
    func note(_ problem: Int32, _ what: String) {
      if problem == 0 { holds.append(what) } else { missing.append("\(what) (\(FileBytes.reason(problem)))") }
    }
    if let account { holds.append("the user \(account.name)") }
    note(ccf_no_new_privileges(), "no new privileges")
    for (resource, most, unit, text) in limits(lanes: lanes) where most > 0 {
      note(ccf_limit(resource, most.multipliedReportingOverflow(by: unit).partialValue), "at most \(most) \(text)")
    }
    Models.preload() // no library can be mapped from now on
    let problem = ccf_filter(CCF_WHILE_LOADING)
    if problem != 0 {
      missing.append(
        "no filter of system calls (\(FileBytes.reason(problem))): only the sandbox keeps it from files, sockets and programs")
    }
    if !missing.isEmpty {
      StandardError.note(
        "chainrun: --confine: not offered here: \(missing.joined(separator: "; ")). What holds: \(holds.joined(separator: ", "))")
    }
    if geteuid() == 0 {
      StandardError.note("chainrun: --confine: it runs as root and keeps root's rights; --confine-user NAME gives them up")
    }
    let threads = Int32(lanes) + Self.threadsBeside
    let shortage = ccf_try_threads(threads)
    guard shortage == 0 else {
      throw CommandFailure(
        .failed,
        "--confine: with --lanes \(lanes) \(threads) threads are needed, and they cannot be made (\(FileBytes.reason(shortage))); "
          + "allow more by --confine-processes")
    }
  }

  /// When the graph's files, the input and the output's file are open or read: no file is opened from now on.
  func complete() {
    guard isWanted else { return }
    tzset() // reads the time zone's file, which nobody could later
    _ = ccf_filter(CCF_WHILE_RUNNING) // where the first filter was refused, this was said
  }

  private func limits(lanes: Int) -> [(ccf_resource, UInt64, UInt64, String)] {
    [
      (CCF_ADDRESS_SPACE, memory ?? Self.megabytes(Self.megabytes, lanes: lanes), 1 << 20, "MB of address space"),
      (CCF_PROCESSES, processes ?? Self.processes, 1, "processes of the user"),
      (CCF_FILES, files ?? Self.filesBeside + Self.filesOfALane * UInt64(lanes), 1, "open files"),
    ]
  }
}

/// A user of this machine.
private struct Account {
  let name: String
  private let user: uid_t
  private let group: gid_t

  init(_ name: String) throws(CommandFailure) {
    self.name = name
    let found = uid_t(name).map { getpwuid($0) } ?? getpwnam(name)
    if let entry = found {
      user = entry.pointee.pw_uid
      group = entry.pointee.pw_gid
    } else if let number = uid_t(name) {
      user = number
      group = number
    } else {
      throw CommandFailure(.usage, "--confine-user \(name): there is no such user")
    }
    // The system's word for "no change".
    guard user != uid_t.max else { throw CommandFailure(.usage, "--confine-user \(name): that number is no user's") }
    guard user != 0 else { throw CommandFailure(.usage, "--confine-user \(name): that is root; name an unprivileged user") }
  }

  func become() throws(CommandFailure) {
    if geteuid() == user, getuid() == user { return }
    guard geteuid() == 0 else { throw CommandFailure(.usage, "--confine-user \(name): only root can become another user") }
    let problem = ccf_become(user, group)
    guard problem == 0 else { throw CommandFailure(.failed, "--confine-user \(name): \(FileBytes.reason(problem))") }
  }
}
