import CLua
import CLuaShim
import Glibc

/// What a script may do beyond the default.
package struct Permissions: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Files anywhere.
    package static let io = Permissions(rawValue: UInt32(RH_ALLOW_IO))
    /// Other programs, C modules, `os.exit`.
    package static let os = Permissions(rawValue: UInt32(RH_ALLOW_OS))
    /// All of the debug library.
    package static let debug = Permissions(rawValue: UInt32(RH_ALLOW_DEBUG))
    /// Compiled chunks for `load`.
    package static let bytecode = Permissions(rawValue: UInt32(RH_ALLOW_BYTECODE))
}

/// How a state is made.
package struct LuaOptions: Sendable {
    package var permissions: Permissions = []
    /// No `io`, no `os` at all.
    package var isStrict = false
    /// In bytes; 0 = none.
    package var memoryLimit = 256 << 20
    /// How long Lua code may run without waiting; nil = for ever.
    package var timeLimit: Duration? = .seconds(10)
    /// The script's directory (absolute): where its modules are, and the only one whose files it may touch.
    package var directory: String
    /// The standard library's directory (absolute), if there is one.
    package var libraryDirectory: String?

    package init(directory: String) { self.directory = directory }
}

/// A Lua state with the standard libraries as replhost has them. Lives on one thread.
package final class LuaState {
    // Safe: used by one thread; freed in `close`.
    let raw: OpaquePointer
    package let options: LuaOptions
    /// Who schedules this state's tasks; set once by the scheduler.
    weak var scheduler: LuaScheduler?
    package private(set) var isClosed = false
    /// How the names of the standard library's chunks begin, with a zero behind it.
    private let libraryPrefix: [CChar]
    private var isFreed = false
    /// Who watches what runs here, if anybody does.
    var watchdog: Watchdog?
    /// How long Lua code may run without waiting; nil = for ever. At first as in the options.
    package var timeLimit: Duration? {
        didSet {
            guard timeLimit != oldValue, !isClosed else { return }
            setTimeLimitError()
            watchdog?.noteTimeLimit(of: self)
        }
    }

    /// Throws when there is not even memory for an empty state.
    package init(_ options: LuaOptions) throws(ScriptError) {
        self.options = options
        timeLimit = options.timeLimit
        libraryPrefix = options.libraryDirectory.map { Array("@\($0)/".utf8CString) } ?? []
        guard let raw = rh_new_state(0, deliverResults, releaseObject) else {
            throw ScriptError(code: "RH1005", "no memory for a Lua state")
        }
        self.raw = raw
        rh_set_owner(raw, Unmanaged.passUnretained(self).toOpaque())
        openLibraries()
        rh_set_memory_limit(raw, options.memoryLimit)
    }

    deinit { close() }

    /// Stops what tasks are left, runs all finalizers and frees the state. Idempotent; nothing may use the state
    /// afterwards. The watchdog need not be told; it watches to the end.
    package func close() {
        guard !isClosed else { return }
        scheduler?.endTasks()
        isClosed = true
        rh_close_state(raw)
        watchdog?.unwatch(self)
        isFreed = true
        rh_free_state(raw)
    }

    /// The main coroutine's stack, for setting things up.
    package var stack: LuaStack { LuaStack(rh_main_thread(raw)) }

    /// In bytes, with what the host holds on the script's behalf.
    package var memoryUsed: Int { rh_memory_used(raw) }

    /// Counts memory outside Lua that a script's values hold; negative gives it back. Over the limit the script is
    /// stopped when the host function returns; one that would take much asks `hasRoom` first.
    package func charge(_ bytes: Int) {
        if !isFreed { rh_charge(raw, bytes) }
    }

    package func hasRoom(for bytes: Int) -> Bool {
        options.memoryLimit == 0 || bytes <= options.memoryLimit - min(rh_memory_used(raw), options.memoryLimit)
    }

    /// Makes the n-th allocation of Lua code from now fail, and all after it; 0 = none. For tests of the border.
    package func failAllocation(after count: UInt64) { rh_fail_allocation(raw, count) }

    /// Whether a chunk is the standard library's (its frames are not a script's place).
    func isLibrary(chunk: UnsafePointer<CChar>) -> Bool {
        guard !libraryPrefix.isEmpty else { return false }
        return strncmp(chunk, libraryPrefix, libraryPrefix.count - 1) == 0
    }

    /// Compiles `text`; on success the function is on top of the stack.
    package func load(_ text: String, named chunkName: String) throws(ScriptError) {
        var text = text
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                rh_load_text(stack.thread, $0.baseAddress, $0.count, chunkName)
            }
        }
        guard status != LUA_OK else { return }
        let message = stack.string(at: -1) ?? "unknown error"
        stack.pop()
        throw ScriptError(code: "RH1100", message)
    }

    private func openLibraries() {
        rh_open_libraries(stack.thread, options.permissions.rawValue, options.isStrict, options.directory)
        HostClosure.type.register(in: stack)
        ErrorObject.register(in: stack)
        setPackagePath()
        setInterruptErrors()
    }

    private func setPackagePath() {
        let directories = [options.directory, options.libraryDirectory].compactMap(\.self)
        let path = directories.flatMap { ["\($0)/?.lua", "\($0)/?/init.lua"] }.joined(separator: ";")
        stack.pushGlobals()
        stack.getField("package", of: -1)
        stack.push(path)
        stack.setField("path", of: -2)
        stack.pop(2)
    }

    /// Made ahead: an interrupt must be raised even when no memory is left.
    private func setInterruptErrors() {
        setTimeLimitError()
        let errors: [(rh_interrupt, ScriptError)] = [
            (RH_USER_INTERRUPT, ScriptError(code: "RH1202", "interrupted")),
            (RH_TASK_CANCELLED, ScriptError(code: "RH1203", "task was cancelled")),
            (RH_EXIT, ScriptError(code: "RH1204", "os.exit was called")),
        ]
        for (kind, error) in errors { set(error, for: kind) }
    }

    private func setTimeLimitError() {
        let limit = timeLimit.map { "\($0)" } ?? "none"
        let error = ScriptError(
            code: "RH1201", "time limit exceeded: Lua code ran for \(limit) without waiting",
            hint: "Raise it with --limits time=60s, or wait now and then (rh.sleep(0)).")
        set(error, for: RH_TIME_LIMIT)
    }

    private func set(_ error: ScriptError, for kind: rh_interrupt) {
        stack.push(ErrorObject(error, position: nil), ErrorObject.type)
        rh_set_interrupt_error(stack.thread, kind)
    }
}

private func deliverResults(_ thread: OpaquePointer?, _ owner: UnsafeMutableRawPointer?) -> Int32 {
    guard let thread, let owner else { return 0 }
    // Safe: the state outlives every call into it.
    let state = Unmanaged<LuaState>.fromOpaque(owner).takeUnretainedValue()
    let stack = LuaStack(thread)
    do throws(ScriptError) { return try state.scheduler?.deliver(to: stack) ?? 0 } catch { return stack.raise(error) }
}

private func releaseObject(_ object: UnsafeMutableRawPointer?) {
    guard let object else { return }
    Unmanaged<AnyObject>.fromOpaque(object).release()
}
