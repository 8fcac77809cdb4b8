import EventLoops
import Glibc
import Synchronization

/// What is left to do outside the lock.
struct PoolErrands {
    var actions: [PoolAction] = []
    var woken: [UnsafeContinuation<Void, Never>] = []
    var closed: [(UnsafeContinuation<Int, Never>, aborted: Int)] = []
}

extension ConnectionPool.State {
    /// Puts offers and refusals into mailboxes, so that they keep their order; the rest remains to be done.
    mutating func deliver(_ actions: [PoolAction]) -> PoolErrands {
        var errands = PoolErrands()
        for action in actions {
            switch action {
            case .offer(_, let waiter):
                mailboxes[waiter]?.hasOffer = true
                wake(waiter, &errands)
            case .fail(let waiter, let error):
                if mailboxes[waiter]?.failure == nil { mailboxes[waiter]?.failure = error }
                wake(waiter, &errands)
            case .finishClosing(let aborted):
                self.aborted = aborted
                errands.closed = closers.map { ($0, aborted) }
                closers = []
            case .connect, .cancelConnect, .close, .check, .reset, .wake, .reportLeak, .reportFailure, .abort:
                errands.actions.append(action)
            }
        }
        return errands
    }

    private mutating func wake(_ waiter: WaiterID, _ errands: inout PoolErrands) {
        guard let continuation = mailboxes[waiter]?.continuation else { return }
        mailboxes[waiter]?.continuation = nil
        errands.woken.append(continuation)
    }
}

extension ConnectionPool {
    /// Tells the machine of an event and does what it asks for.
    func update(_ event: (inout State) -> [PoolAction]) {
        perform(state.withLock { $0.deliver(event(&$0)) })
    }

    func perform(_ errands: PoolErrands) {
        for continuation in errands.woken { continuation.resume() }
        for (continuation, aborted) in errands.closed { continuation.resume(returning: aborted) }
        for action in errands.actions { perform(action) }
    }

    private func perform(_ action: PoolAction) {
        switch action {
        case .connect(let id): startConnecting(id)
        case .cancelConnect(let id): state.withLock { $0.connects[id] }?.cancel()
        case .close(let id): startClosing(id)
        case .check(let id): startChecking(id)
        case .reset(let id): startResetting(id)
        case .wake: setTimer()
        case .reportLeak(let id, let site, let age): reportLeak(id, site, age: age)
        case .reportFailure(let failure): hooks.onWarning(.connectFailed(failure))
        case .abort(let id): abort(id)
        case .offer, .fail, .finishClosing: break
        }
    }

    /// The actor on the pool's loop; the loop starts with its first use.
    private var keeper: PoolKeeper {
        state.withLock { state in
            if let keeper = state.keeper { return keeper }
            let keeper = PoolKeeper(EventLoop(name: "pool"))
            state.keeper = keeper
            return keeper
        }
    }

    private func connection(_ id: ConnectionID) -> Connection? {
        state.withLock { $0.connections[Int(id.slot)] }
    }

    private func setTimer() {
        let keeper = keeper
        keeper.loop.post { [weak self] in
            keeper.assumeIsolated { keeper in
                guard let self else { return }
                // The latest wish, whatever order the wishes were carried out in.
                let due = self.state.withLock { $0.machine.armed }
                keeper.wake(at: due) { [weak self] in
                    self?.update { $0.machine.timeReached(.now) }
                }
            }
        }
    }

    // MARK: Connecting

    private func startConnecting(_ id: ConnectionID) {
        let keeper = keeper
        let task = Task(executorPreference: keeper.loop) {
            await keeper.run { keeper in await self.connect(id, on: keeper.loop) }
        }
        state.withLock { state in
            // It may have ended already.
            if state.machine.position(of: id, in: .connecting) != nil { state.connects[id] = task }
        }
    }

    private func connect(_ id: ConnectionID, on loop: EventLoop) async {
        let outcome: Result<Connection, PostgresError>
        do throws(PostgresError) {
            outcome = .success(try await makeConnection(on: loop))
        } catch {
            outcome = .failure(error)
        }
        let random = Double.random(in: 0..<1)
        update { state in
            state.connects[id] = nil
            switch outcome {
            case .success(let connection):
                state.keep(connection, id)
                return state.machine.connectSucceeded(id, now: .now, random: random)
            case .failure(let error):
                return state.machine.connectFailed(id, ConnectFailure(error), now: .now, random: random)
            }
        }
    }

    private func makeConnection(on loop: EventLoop) async throws(PostgresError) -> Connection {
        let deadline = ContinuousClock.now + settings.connectTimeout
        let target = try await hooks.settings()
        guard target["replication"] == nil else {
            throw .invalidSettings(reason: "replication connections cannot be pooled", hint: nil)
        }
        role.follow(target)
        let connection = try await Connection.connect(target, on: loop, until: deadline)
        do throws(PostgresError) {
            try await prepareSession(connection, on: loop)
        } catch {
            await closeFully(connection, on: loop)
            throw error
        }
        return connection
    }

    private func prepareSession(_ connection: Connection, on loop: EventLoop) async throws(PostgresError) {
        guard let hook = hooks.onConnect else { return }
        try await hook(connection)
        connection.attach(to: loop)
        try await connection.reset(.rollback, until: .now + settings.resetTimeout)
        // What the hook has set is how sessions of this pool are meant to be.
        connection.isDirty = false
    }

    // MARK: Closing

    private func startClosing(_ id: ConnectionID) {
        guard let connection = state.withLock({ $0.connections[Int(id.slot)].take() }) else { return }
        run(on: connection) { loop in
            await self.closeFully(connection, on: loop)
            self.update { $0.machine.closed(id, now: .now) }
        }
    }

    /// Closes, and waits a moment until the server has closed, too: only then its backend is gone.
    private func closeFully(_ connection: Connection, on loop: EventLoop) async {
        let patience: Duration = connection.isBroken ? .milliseconds(250) : .seconds(1)
        if connection.transactionStatus == .active { await connection.cancelRunning() }
        let descriptor = connection.duplicateSocket()
        connection.close()
        guard let descriptor else { return }
        defer { Glibc.close(descriptor) }
        let deadline = ContinuousClock.now + patience
        while hasMore(descriptor) {
            do { try await loop.wait(for: .readable, on: descriptor, until: deadline) } catch { return }
        }
    }

    /// Reads and drops what has come; false at the end of the stream.
    private func hasMore(_ descriptor: CInt) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            while true {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, CInt(MSG_DONTWAIT))
                if count <= 0 { return count < 0 && (errno == EAGAIN || errno == EINTR) }
            }
        }
    }

    // MARK: Checking and cleaning

    private func startChecking(_ id: ConnectionID) {
        guard let connection = connection(id) else { return }
        run(on: connection) { _ in
            let isAlive = connection.isAlive()
            let answers = isAlive ? await connection.ping(until: .now + self.settings.resetTimeout) : false
            let isRight = self.role.isFulfilled(by: connection)
            self.update {
                answers && isRight
                    ? $0.machine.checkSucceeded(id, now: .now)
                    : $0.machine.checkFailed(id, answers ? .roleChanged : .foundDead, now: .now)
            }
        }
    }

    private func startResetting(_ id: ConnectionID) {
        guard let connection = connection(id) else { return }
        run(on: connection) { loop in
            let isClean = await self.reset(connection, on: loop)
            self.update {
                isClean ? $0.machine.resetSucceeded(id, now: .now) : $0.machine.resetFailed(id, now: .now)
            }
        }
    }

    private func reset(_ connection: Connection, on loop: EventLoop) async -> Bool {
        let undoesSettings = resetLevel == .discard || (resetLevel == .clean && connection.isDirty)
        do throws(PostgresError) {
            try await connection.reset(resetLevel, until: .now + settings.resetTimeout)
            if undoesSettings { try await prepareSession(connection, on: loop) }
            return !connection.isBroken
        } catch {
            return false
        }
    }

    /// Runs background work on a connection: on the pool's loop, or where a call of its last holder still has to end.
    private func run(on connection: Connection, _ body: @escaping @Sendable (EventLoop) async -> Void) {
        guard connection.isSettled else {
            let loop = connection.loop
            Task(executorPreference: loop) { await LoopActor.runShielded(on: loop) { _ in await body(loop) } }
            return
        }
        let keeper = keeper
        Task(executorPreference: keeper.loop) {
            await keeper.run { keeper in
                // Under the lock, because others look there at whose it is.
                self.state.withLock { _ in connection.moveIfNeeded(to: keeper.loop) }
                await body(keeper.loop)
            }
        }
    }

    // MARK: Leases that do not come back

    private func reportLeak(_ id: ConnectionID, _ site: BorrowSite, age: Duration) {
        guard let loop = state.withLock({ $0.connections[Int(id.slot)]?.loop }) else { return }
        loop.post { [hooks] in
            let inspection = site.inspect?() ?? BorrowSite.Inspection()
            hooks.onWarning(.leak(site: site.description, age: age, inspection))
        }
    }

    /// Fails every further call of the holder, and wakes the one that is waiting.
    private func abort(_ id: ConnectionID) {
        guard let loop = state.withLock({ $0.connections[Int(id.slot)]?.loop }) else { return }
        loop.post {
            self.state.withLock { state in
                // It may have come back meanwhile; then it is no longer the holder's loop that may touch it.
                guard state.machine.position(of: id, in: .leased) != nil else { return }
                state.connections[Int(id.slot)]?.abort(
                    "the connection was taken away because its pool has been closed")
            }
        }
    }
}

extension ConnectionPool.State {
    fileprivate mutating func keep(_ connection: Connection, _ id: ConnectionID) {
        let slot = Int(id.slot)
        while connections.count <= slot { connections.append(nil) }
        connections[slot] = connection
    }
}
