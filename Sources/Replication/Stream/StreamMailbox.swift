import DequeModule
import EventLoops
import PostgresProtocol
import Synchronization

/// What the receiving and the applying thread tell each other.
final class StreamMailbox: Sendable {
    /// The receiver waits for room above this.
    private static let mostBytes = 8 << 20

    private struct State {
        var blocks: Deque<MessageBlock> = []
        var bytes = 0
        /// So much has to be there before the reader is woken.
        var wanted = 1
        /// Less is enough if a commit is among it.
        var wantsCommit = false
        var failure: ReplicationError?
        var reader: UnsafeContinuation<Void, Never>?
        var writer: UnsafeContinuation<Void, Never>?
        /// Somebody has something to tell the reader beside blocks.
        var isRung = false
        var isClosed = false
        var flushed = LSN.zero
        var serverEnd = LSN.zero
    }

    private let state = Mutex(State())

    // MARK: Receiving thread

    /// A server sends each message by itself: small blocks are joined. Returns whether the reader is in no hurry.
    func put(_ block: MessageBlock) -> Bool {
        let (reader, isPatient) = state.withLock { state in
            state.bytes += block.byteCount
            if let last = state.blocks.last, last.byteCount + block.byteCount <= MessageBlock.size {
                last.append(block)
            } else {
                state.blocks.append(block)
            }
            let isEnough =
                state.bytes >= state.wanted || block.hasKeepalive || (state.wantsCommit && block.hasCommit)
            return (isEnough ? state.reader.take() : nil, state.wanted > 1 && !isEnough)
        }
        reader?.resume()
        return isPatient
    }

    /// Returns when there is room for another block, or nobody wants one any more.
    func waitForRoom() async {
        await withUnsafeContinuation { continuation in
            let isRoom = state.withLock { state in
                guard state.bytes >= Self.mostBytes, !state.isClosed else { return true }
                state.writer = continuation
                return false
            }
            if isRoom { continuation.resume() }
        }
    }

    func fail(_ error: ReplicationError) {
        let reader = state.withLock { state in
            state.failure = state.failure ?? error
            return state.reader.take()
        }
        reader?.resume()
    }

    func note(serverEnd: LSN) { state.withLock { $0.serverEnd = max($0.serverEnd, serverEnd) } }

    var flushed: LSN { state.withLock { $0.flushed } }

    // MARK: Applying thread

    /// What has come; an error comes after everything that came before it.
    func take() throws(ReplicationError) -> MessageBlock? {
        let (block, failure, writer) = state.withLock { state in
            let block = state.blocks.popFirst()
            if let block { state.bytes -= block.byteCount }
            let writer = state.bytes < Self.mostBytes / 2 ? state.writer.take() : nil
            return (block, block == nil ? state.failure : nil, writer)
        }
        writer?.resume()
        if let failure { throw failure }
        return block
    }

    /// Returns when there are `bytes` to take, or a keepalive, or a commit if that is wanted, or a failure, or somebody
    /// has rung. The explicit `isolation` keeps the closures on the caller's actor; the preference makes the continuation
    /// resume there.
    func wait(
        for bytes: Int, orCommit: Bool = false, on loop: EventLoop, isolation: isolated (any Actor)? = #isolation
    ) async {
        await withTaskCancellationHandler {
            _ = isolation
            await withTaskExecutorPreference(loop) {
                _ = isolation
                await withUnsafeContinuation { register($0, wanting: bytes, orCommit: orCommit) }
            }
        } onCancel: {
            ring()
        }
    }

    private func register(
        _ continuation: UnsafeContinuation<Void, Never>, wanting bytes: Int, orCommit: Bool
    ) {
        let isDue = state.withLock { state in
            state.wanted = bytes
            state.wantsCommit = orCommit
            let isEnough = state.blocks.contains { $0.hasKeepalive || (orCommit && $0.hasCommit) }
            if state.bytes >= bytes || isEnough || state.failure != nil || state.isRung || Task.isCancelled {
                state.isRung = false
                return true
            }
            state.reader = continuation
            return false
        }
        if isDue { continuation.resume() }
    }

    /// Wakes a reader that waits for more than there is.
    func ringPatientReader() {
        let reader = state.withLock { $0.wanted > 1 ? $0.reader.take() : nil }
        reader?.resume()
    }

    func ring() {
        let reader = state.withLock { state in
            let reader = state.reader.take()
            if reader == nil { state.isRung = true }
            return reader
        }
        reader?.resume()
    }

    /// Everything before `position` is durable in the target.
    func confirm(_ position: LSN) { state.withLock { $0.flushed = max($0.flushed, position) } }

    /// The end of the source's log, as far as it has told.
    var serverEnd: LSN { state.withLock { $0.serverEnd } }

    func close() {
        let writer = state.withLock { state in
            state.isClosed = true
            return state.writer.take()
        }
        writer?.resume()
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }
}
