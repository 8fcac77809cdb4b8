import EventLoops
import Glibc

/// Work that blocks, on a thread made for it.
package enum Blocking {
    package static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withUnsafeContinuation { continuation in
            pthread_detach(Thread.start(name: "blocking") { continuation.resume(returning: work()) })
        }
    }
}
