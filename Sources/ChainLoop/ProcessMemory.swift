import CLoopThread

/// How the process, as a whole, treats memory that it has freed: a matter of the program, not of a library in it.
package enum ProcessMemory {
  /// What is freed in large blocks goes back to the system at once. Once, before there are threads.
  package static func returnLargeBlocks() { clt_process_returns_memory() }

  /// What has been allocated and not freed; 0 where the system does not tell. Any thread.
  package static var bytesInUse: Int { clt_process_bytes_in_use() }
}
