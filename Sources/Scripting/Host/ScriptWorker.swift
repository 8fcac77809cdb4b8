import CLuaShim
import EventLoops
import LuaRuntime
import Postgres

/// One Lua state with its scheduler and what its host functions share. Lives on its event loop's thread.
final class ScriptWorker {
    let state: LuaState
    let scheduler: LuaScheduler
    let rows: RowLibrary
    let options: ScriptOptions
    var loop: EventLoop { scheduler.loop }
    /// The tables of methods, which the standard library's Lua code adds to.
    var connectionMethods: LuaReference?
    var poolMethods: LuaReference?
    /// Chunks whose functions run here, by their task.
    var transformRuns: [ObjectIdentifier: TransformRun] = [:]
    /// No code is started any more: pools in the background may still ask for some.
    var isEnding = false
    /// Those that code of this worker has asked for.
    private var pools: [ConnectionPool] = []
    /// A collection that is asked for costs as much as the script has values.
    private static let betweenCollections: Duration = .milliseconds(100)
    private var isCollectionDue = false
    private var lastCollection = ContinuousClock.now - .seconds(1)
    private var places: [Place: BorrowSite] = [:]
    /// The places asked for last, newest first: a borrower's `getconn` and `putconn` alternate.
    private var recent: (Place, BorrowSite)?
    private var beforeRecent: (Place, BorrowSite)?
    private var figures: WorkerFigures?

    private struct Place: Hashable {
        let source: UnsafeRawPointer
        let line: Int32
    }

    init(_ options: ScriptOptions, _ luaOptions: LuaOptions, on actor: LoopActor) throws(ScriptError) {
        self.options = options
        state = try LuaState(luaOptions)
        scheduler = LuaScheduler(state: state, on: actor)
        rows = RowLibrary(in: state.stack)
        registerTypes()
        scheduler.onEnd = { [unowned self] task in takeLeases(of: task) }
        Watchdog.shared.watch(state)
        figures = options.figures.workers.add(self)
    }

    /// Ends the state; tasks must have ended.
    func close() {
        isEnding = true
        if let figures { options.figures.workers.remove(figures) }
        state.close()
    }

    private func registerTypes() {
        let stack = state.stack
        ResultObject.register(in: stack, rows)
        ConnectionObject.register(in: stack, self)
        PoolObject.register(in: stack, self)
        CopyWriterObject.register(in: stack, self)
        StreamObject.register(in: stack)
        NativeModules.register(in: stack, self)
    }

    /// Runs `operation` while the script's code waits; its error is a PgError in Lua.
    func wait(
        _ stack: LuaStack, on object: Lease,
        _ operation: @escaping (Connection) async throws(PostgresError) -> Delivery
    ) throws(ScriptError) -> Int32 {
        let connection = try object.usable
        return try scheduler.wait(stack) { () async throws(ScriptError) in
            do throws(PostgresError) {
                if let abandoned = object.abandoned {
                    object.abandoned = nil
                    try await connection.rollBack(abandoned)
                }
                return try await operation(connection)
            } catch {
                object.note(error)
                throw ScriptError(error)
            }
        }
    }

    /// The end of a connection's scope: `<close>`.
    func release(_ lease: Lease) { lease.pool?.release(lease) }

    func note(_ pool: ConnectionPool) {
        pools.removeAll { $0.statistics().isClosed }
        if !pools.contains(where: { $0 === pool }) { pools.append(pool) }
    }

    /// What the task has borrowed and nobody else holds now goes back soon.
    private func takeLeases(of task: LuaTask) {
        let borrower = BorrowerID(task)
        guard !isEnding, pools.contains(where: { $0.hasLeases(of: borrower) }) else { return }
        guard !isCollectionDue else { return }
        isCollectionDue = true
        loop.schedule(at: max(.now, lastCollection + Self.betweenCollections)) { [self] in
            isCollectionDue = false
            collectForgotten()
        }
    }

    /// Connections that no variable holds any more go back.
    func collectGarbage() {
        guard !isEnding else { return }
        rh_collect_garbage(state.stack.thread)
        lastCollection = .now
    }

    /// The same, unless it was done just now.
    func collectForgotten() {
        if ContinuousClock.now - lastCollection >= Self.betweenCollections { collectGarbage() }
    }

    /// Memory for the results of one query.
    var reserve: Connection.Reserve { ResultMemory(of: self).reserve }

    /// Where the running script code is, for warnings and errors about leases.
    func borrowSite(_ stack: LuaStack) -> BorrowSite {
        guard let (source, line) = stack.callerAddress() else { return .unknown }
        let place = Place(source: source, line: line)
        if let (known, site) = recent, known == place { return site }
        let last = beforeRecent
        beforeRecent = recent
        if let (known, site) = last, known == place {
            recent = last
            return site
        }
        let site = places[place] ?? BorrowSite(stack.position() ?? "an unknown place")
        places[place] = site
        recent = (place, site)
        return site
    }

    /// The running task, as pools tell borrowers apart.
    var borrower: BorrowerID {
        scheduler.current.map(BorrowerID.init) ?? .anonymous
    }
}

extension BorrowerID {
    fileprivate init(_ task: LuaTask) { self.init(UInt64(UInt(bitPattern: ObjectIdentifier(task)))) }
}
