package import Glibc

/// Starts OS threads. A thread inherits the signal mask of the one that starts it.
package enum Thread {
    private final class Body {
        let name: String
        let run: () -> Void

        init(name: String, run: @escaping () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// The handle must be joined or detached. Traps when the system has no thread left to give.
    package static func start(name: String, _ run: @escaping () -> Void) -> pthread_t {
        var handle = pthread_t()
        // Safe: the reference is taken back exactly once, by the new thread.
        let body = Unmanaged.passRetained(Body(name: name, run: run)).toOpaque()
        let status = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                Thread.nameCurrent(body.name)
                body.run()
                return nil
            }, body)
        precondition(status == 0, "pthread_create failed: errno \(status)")
        return handle
    }

    /// Sets what `top -H` and debuggers show; the kernel keeps 15 bytes.
    private static func nameCurrent(_ name: String) {
        let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        var bytes = Array(name.utf8.prefix(15))
        _ = write(descriptor, &bytes, bytes.count)
        _ = close(descriptor)
    }
}
