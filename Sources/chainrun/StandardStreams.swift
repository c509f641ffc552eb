import Glibc

/// The three streams that a program is given. Any thread.
enum StandardStreams {
  /// Once, first of all: a reader that goes away is an error of `write`, no signal, and a stream that is closed cannot
  /// become another file of the process.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is this one. The wrong direction, so that its use is still an error.
      _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Prints a text that was asked for, and ends.
  static func finish(printing text: String) -> Never {
    do throws(CommandFailure) {
      var output = ResultFile.standardOutput
      try output.write(Array(text.utf8))
    } catch { error.exit() }
    exit(0)
  }
}
