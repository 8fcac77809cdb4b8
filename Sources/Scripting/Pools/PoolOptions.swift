import LuaRuntime
import Postgres

/// What `rh.pool{…}` was given, read and checked.
struct PoolOptions {
    /// Where connections go.
    enum Target {
        case settings(ConnectionSettings)
        case sandbox(String)
        /// Returns a DSN for each connect: credentials may rotate.
        case function(LuaReference)
    }

    var target: Target
    /// Keywords beside the DSN.
    var keywords: [String: String] = [:]
    var settings = PoolSettings()
    var onConnect: LuaReference?
    var statementCache: Int?

    /// Pools with functions belong to one worker; others are shared by their options.
    var isShareable: Bool {
        if case .function = target { return false }
        return onConnect == nil
    }

    /// The same for the same options.
    let key: String
}

extension PoolOptions {
    private static var durations: [String: WritableKeyPath<PoolSettings, Duration>] {
        [
            "timeout": \.timeout, "check_idle": \.checkIdle, "max_lifetime": \.maxLifetime,
            "idle_timeout": \.idleTimeout,
            "leak_after": \.leakAfter, "fail_fast_after": \.failFastAfter, "connect_timeout": \.connectTimeout,
            "reset_timeout": \.resetTimeout,
        ]
    }

    private static var counts: [String: WritableKeyPath<PoolSettings, Int>] {
        [
            "min": \.min, "minconn": \.min, "max": \.max, "maxconn": \.max, "max_waiting": \.maxWaiting,
        ]
    }

    private static let resets: [String: ResetLevel] = [
        "none": .none, "rollback": .rollback, "clean": .clean, "discard": .discard,
    ]
    private static let synonyms = [("min", "minconn"), ("max", "maxconn"), ("database", "dbname")]

    /// Options that are neither durations, counts nor libpq's own keywords.
    private static let others = ["dsn", "database", "reset", "on_connect", "statement_cache"]

    /// Reads the table at `index`. Throws an error that names the option and what was meant.
    init(at index: Int32, of stack: LuaStack) throws(ScriptError) {
        if stack.type(at: index) == .string {
            throw Self.wrong("expected options, got a string", hint: "Write rh.pool { dsn = … }.")
        }
        try stack.requireTable(index, "rh.pool")
        var values: [String: String] = [:]
        var settings = PoolSettings()
        var target: Target?
        var hook: LuaReference?
        var cache: Int?
        var key: [String] = []
        var names: Set<String> = []
        try stack.forEach(in: index) { (name, value) throws(ScriptError) in
            guard stack.type(at: name) == .string, let option = stack.string(at: name) else {
                throw Self.wrong("option names are strings, got \(DisplayText.short(of: name, stack))")
            }
            names.insert(option)
            key.append("\(option)=\(DisplayText.text(of: value, stack) ?? "")")
            if let path = Self.durations[option] {
                settings[keyPath: path] = try Self.duration(option, value, stack)
            } else if let path = Self.counts[option] {
                settings[keyPath: path] = try Self.count(option, value, stack)
            } else if option == "dsn" {
                target = try Self.target(value, stack)
            } else if option == "reset" {
                settings.reset = try Self.reset(value, stack)
            } else if option == "on_connect" {
                hook = try Self.function(option, value, stack)
            } else if option == "statement_cache" {
                cache = try Self.count(option, value, stack)
            } else {
                values[option == "database" ? "dbname" : option] = try Self.keyword(option, value, stack)
            }
        }
        for (name, other) in Self.synonyms where names.contains(name) && names.contains(other) {
            throw Self.wrong("options \"\(name)\" and \"\(other)\" mean the same, give one of them")
        }
        try Self.check(settings)
        self.key = key.sorted().joined(separator: "\u{1}")
        self.settings = settings
        onConnect = hook
        statementCache = cache
        keywords = values
        switch target {
        case nil: self.target = .settings(try Self.connection(keywords: values))
        case .settings(let base)? where !values.isEmpty:
            self.target = .settings(base.merging(try Self.connection(keywords: values)))
        case let given?: self.target = given
        }
    }

    private static func wrong(_ message: String, hint: String? = nil) -> ScriptError {
        ScriptError(code: "RH2306", "rh.pool: \(message)", hint: hint)
    }

    private static func duration(_ name: String, _ value: Int32, _ stack: LuaStack) throws(ScriptError) -> Duration {
        if let duration = Durations.read(at: value, of: stack) { return duration }
        throw wrong("option \"\(name)\": expected \(Durations.form), got \(DisplayText.short(of: value, stack))")
    }

    private static func count(_ name: String, _ value: Int32, _ stack: LuaStack) throws(ScriptError) -> Int {
        if let count = stack.integer(at: value).flatMap({ Int(exactly: $0) }), count >= 0 { return count }
        throw wrong("option \"\(name)\": expected an integer of at least 0, got \(DisplayText.short(of: value, stack))")
    }

    private static func reset(_ value: Int32, _ stack: LuaStack) throws(ScriptError) -> ResetLevel {
        if let level = stack.string(at: value).flatMap({ resets[$0] }) { return level }
        throw wrong(
            "option \"reset\": expected \"none\", \"rollback\", \"clean\" or \"discard\", got "
                + DisplayText.short(of: value, stack))
    }

    private static func function(_ name: String, _ value: Int32, _ stack: LuaStack) throws(ScriptError) -> LuaReference
    {
        guard stack.type(at: value) == .function else {
            throw wrong("option \"\(name)\": expected a function, got \(stack.describe(at: value))")
        }
        stack.pushCopy(of: value)
        return stack.makeReference()
    }

    private static func target(_ value: Int32, _ stack: LuaStack) throws(ScriptError) -> Target {
        if stack.type(at: value) == .function { return .function(try function("dsn", value, stack)) }
        guard stack.type(at: value) == .string, let text = stack.string(at: value) else {
            throw wrong("option \"dsn\": expected a string or a function, got \(stack.describe(at: value))")
        }
        return try target(text)
    }

    /// A URL, a conninfo string, or `sandbox:NAME`.
    static func target(_ dsn: String) throws(ScriptError) -> Target {
        if dsn.hasPrefix("sandbox:") { return .sandbox(String(dsn.dropFirst("sandbox:".count))) }
        do { return .settings(try ConnectionSettings(dsn)) } catch { throw ScriptError(error) }
    }

    private static func keyword(_ name: String, _ value: Int32, _ stack: LuaStack) throws(ScriptError) -> String {
        guard isKnown(name) else {
            let near = Suggestion.nearest(to: name, among: known)
            throw wrong(
                "unknown option \"\(name)\"" + (near.map { ", did you mean \"\($0)\"?" } ?? ""),
                hint: "Options are dsn or host, port, database, user, password, sslmode, … and "
                    + "\((Array(durations.keys) + Array(counts.keys) + others).sorted().joined(separator: ", ")).")
        }
        switch stack.type(at: value) {
        case .string, .number: return DisplayText.text(of: value, stack) ?? ""
        case .boolean: return stack.isTrue(at: value) ? "1" : "0"
        default: throw wrong("option \"\(name)\": expected a string, got \(stack.describe(at: value))")
        }
    }

    private static func isKnown(_ name: String) -> Bool {
        do throws(PostgresError) {
            _ = try ConnectionSettings(keywords: [name == "database" ? "dbname" : name: ""])
            return true
        } catch {
            if case .unknownSetting = error { return false }
            return true
        }
    }

    private static var known: [String] {
        var names = Array(durations.keys) + Array(counts.keys) + others
        if case .unknownSetting(_, let keywords)? = unknownSetting { names += keywords }
        return names
    }

    /// The connection layer's own list of keywords.
    private static var unknownSetting: PostgresError? {
        do throws(PostgresError) {
            _ = try ConnectionSettings(keywords: ["no such keyword": ""])
            return nil
        } catch {
            return error
        }
    }

    private static func connection(keywords: [String: String]) throws(ScriptError) -> ConnectionSettings {
        do { return try ConnectionSettings(keywords: keywords) } catch { throw ScriptError(error) }
    }

    private static func check(_ settings: PoolSettings) throws(ScriptError) {
        do { _ = try settings.validated() } catch { throw ScriptError(error) }
    }
}
