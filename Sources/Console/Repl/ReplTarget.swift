import Scripting

/// Where a session's SQL goes, and what runs first.
enum ReplTarget: Equatable {
    case dsn(String)
    /// libpq's environment variables.
    case environment
    case script(String)

    private static let sandbox = "sandbox:default"
    private static let variables = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"]

    /// `isSet` tells whether an environment variable is there and not empty.
    init(_ argument: String?, isSet: (String) -> Bool) {
        let fallback: ReplTarget = Self.variables.contains(where: isSet) ? .environment : .dsn(Self.sandbox)
        guard let argument else {
            self = fallback
            return
        }
        let isDSN = argument.contains("://") || argument.hasPrefix("sandbox:") || argument.contains("=")
        self = isDSN ? .dsn(argument) : .script(argument)
    }

    /// Lua code that makes the session's globals.
    var prelude: String {
        switch self {
        case .dsn(let dsn):
            "rh = require 'replhost'; pool = rh.pool { dsn = \(LuaLiteral.quoted(dsn)), fail_fast_after = 0.2 }"
        case .environment: "rh = require 'replhost'; pool = rh.pool { fail_fast_after = 0.2 }"
        case .script: "rh = rh or require 'replhost'"
        }
    }
}
