/// One named server, as `replhost sandbox list` shows it.
package struct SandboxStatus: Equatable, Sendable {
    package let name: String
    package let state: Cluster.State
    package let dataDirectory: String
    /// Of the socket; empty directories and stopped servers have one, too: it is where the socket would be.
    package let socketPath: String
    /// Bytes on disk.
    package let size: Int

    package var pid: Int32? {
        switch state {
        case .busy(let pid), .ready(let pid): pid
        case .absent, .stopped: nil
        }
    }
}
