import Glibc

/// A lock between processes and threads; the system frees it when the holder dies.
enum FileLock {
    /// Waits until nobody else holds the lock on `path`, then runs `body`. The file is made if missing and never removed.
    static func holding<Value>(
        _ path: String, _ body: () throws(SandboxError) -> Value
    ) throws(SandboxError) -> Value {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(operation: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw .file(operation: "lock", path: path, errno: errno) }
        }
        return try body()
    }
}
