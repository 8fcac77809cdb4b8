import EventLoops
import LuaRuntime
import Postgres

/// The session on the server: taken, kept, made anew.
extension ReplBackend {
    /// Connects, so that the prompt can say to what. Why it could not is returned.
    package func connect() async -> FailureReport? {
        await host.actor.run { [self] _ in
            defer { noteFacts() }
            do throws(ScriptError) {
                _ = try await session(try worker())
                return nil
            } catch {
                return FailureReport(error)
            }
        }
    }

    /// After a failure that may have been the session's end: makes a new one, and tells what is lost.
    package func recover() async {
        await host.actor.run { [self] _ in
            defer { noteFacts() }
            guard let worker = try? worker(), let connection = sessionConnection(worker), connection.hasEnded() else {
                return
            }
            await replace(worker)
        }
    }

    /// The next session is borrowed from the global `pool` as it is now.
    package func leaveSession() async {
        await host.actor.run { [self] _ in
            guard let worker = try? worker() else { return }
            dropLease(worker)
            losses = nil
        }
    }

    /// A connection string for another database of the session's server; secrets are in it.
    package func connectionString(forDatabase name: String) async -> String? {
        await host.actor.run { [self] _ in
            (try? worker()).flatMap(sessionConnection)?.connectionString(forDatabase: name)
        }
    }

    // MARK: On the host's loop

    /// The global `conn`; nil once it was returned.
    func sessionLease(_ worker: ScriptWorker) -> Lease? {
        let stack = worker.state.stack
        stack.pushGlobals()
        stack.getField("conn", of: -1)
        defer { stack.pop(2) }
        guard let lease = stack.object(at: -1, ConnectionObject.type), lease.isHeld else { return nil }
        return lease
    }

    func sessionConnection(_ worker: ScriptWorker) -> Connection? {
        sessionLease(worker).flatMap { try? $0.connection }
    }

    /// A lease that can be used; borrowed, if there is none. A statement that counts on a lost transaction is not run.
    func session(_ worker: ScriptWorker) async throws(ScriptError) -> Lease {
        if let connection = sessionConnection(worker), connection.hasEnded() {
            let hadTransaction = lastTransaction != .none
            onEvent(.lost(reason: "the server has ended it", transaction: hadTransaction))
            try await makeNew(worker)
            if hadTransaction { throw .transactionLost }
        } else if sessionLease(worker) == nil {
            try await makeNew(worker)
        }
        guard let lease = sessionLease(worker) else {
            throw ScriptError(code: "RH2302", "there is no connection")
        }
        hear(lease)
        return lease
    }

    /// As `makeNew`; that it fails is told as well.
    func replace(_ worker: ScriptWorker) async {
        do throws(ScriptError) {
            try await makeNew(worker)
        } catch {
            if error.code != "RH2205" { onEvent(.notConnected(FailureReport(error))) }
        }
    }

    /// Puts a new session into the place of the old one, if there was one, and tells what it lacks.
    private func makeNew(_ worker: ScriptWorker) async throws(ScriptError) {
        if let old = sessionLease(worker) {
            losses = memory.losses(hadTransaction: lastTransaction != .none && old === lease)
            dropLease(worker)
        }
        let new = try await borrow(worker)
        let stack = worker.state.stack
        stack.push(new, ConnectionObject.type)
        setGlobal("conn", from: stack, worker)
        hear(new)
        lastTransaction = .none
        if let losses { onEvent(.connectedAnew(without: losses)) }
        losses = nil
    }

    private func dropLease(_ worker: ScriptWorker) {
        if let old = sessionLease(worker) { old.pool?.release(old) }
        worker.state.stack.pushNil()
        setGlobal("conn", from: worker.state.stack, worker)
    }

    private func borrow(_ worker: ScriptWorker) async throws(ScriptError) -> Lease {
        guard let pool = sessionPool(worker) else {
            throw ScriptError(
                code: "RH2302", "there is no connection: the global variable \"pool\" is not a pool",
                hint: "Write \\c DSN, or pool = rh.pool { dsn = … }.")
        }
        do throws(PoolError) {
            return try await pool.acquire(on: worker.loop, site: BorrowSite("the prompt", isLasting: true))
        } catch {
            throw ScriptError(error)
        }
    }

    /// The global `pool`.
    func sessionPool(_ worker: ScriptWorker) -> ConnectionPool? {
        let stack = worker.state.stack
        stack.pushGlobals()
        stack.getField("pool", of: -1)
        defer { stack.pop(2) }
        return stack.object(at: -1, PoolObject.type)?.pool
    }

    /// Notices are told as they come.
    func hear(_ heard: Lease?) {
        guard let heard, let connection = try? heard.connection else { return }
        if lease !== heard {
            memory = SessionMemory()
            lease = heard
        }
        connection.onNotice = { [onEvent] notice in
            var shown = notice
            shown.context = nil
            onEvent(.notice(shown.rendered))
        }
    }
}

extension ScriptError {
    fileprivate static let transactionLost = ScriptError(
        code: "RH2203", "not run: the connection was lost, and the open transaction with it",
        hint: "You are connected anew: begin again.")
}

// MARK: - While the prompt waits

extension ReplBackend {
    /// From here on the session is listened to, until `stopListening`: notices, notifications and its end are told.
    package func startListening() async {
        await host.actor.run { [self] _ in
            if watch == nil { watch = beginListening() }
        }
    }

    private func beginListening() -> Task<Void, Never> {
        host.actor.begin { [self] in await listen() }
    }

    /// Nothing but the caller uses the session afterwards.
    package func stopListening() async {
        await host.actor.run { [self] _ in
            guard let watch else { return }
            watch.cancel()
            await watch.value
            self.watch = nil
        }
    }

    private func listen() async {
        while !Task.isCancelled, let worker = try? worker() {
            guard let connection = sessionConnection(worker) else {
                // One that was lost, and could not be replaced yet.
                guard losses != nil, await retry(worker) else { return }
                continue
            }
            do throws(PostgresError) {
                while let notification = try await connection.waitForNotification() { tell(notification) }
            } catch {
                guard case .connectionLost(let reason, _) = error, !Task.isCancelled else { return }
                onEvent(.lost(reason: reason, transaction: lastTransaction != .none))
                await replace(worker)
                tellFacts()
            }
        }
    }

    /// A server that restarts is back soon: tried again and again while nobody wants anything.
    private func retry(_ worker: ScriptWorker) async -> Bool {
        for _ in 0..<600 {
            guard (try? await worker.loop.sleep(until: .now + .seconds(1))) != nil else { return false }
            try? await makeNew(worker)
            guard sessionLease(worker) == nil else {
                tellFacts()
                return true
            }
        }
        return false
    }

    private func tellFacts() {
        noteFacts()
        onEvent(.factsChanged)
    }

    /// What came while something ran.
    func tellNotifications(_ worker: ScriptWorker) {
        guard let connection = sessionConnection(worker), !connection.isBroken else { return }
        while let notification = connection.takeNotification() { tell(notification) }
    }

    private func tell(_ notification: Notification) {
        onEvent(
            .notification(channel: notification.channel, payload: notification.payload, pid: notification.pid))
    }
}
