import CLibpq
import Glibc

/// The session settings that make a value's text the same on every connection: UTC, ISO dates, PostgreSQL intervals.
///
/// Time zone and date style go into the startup packet: libpq takes them from its environment variables `PGTZ` and
/// `PGDATESTYLE` alone, and unlike `options` they are understood by pgbouncer. As startup values they outrank
/// `ALTER ROLE … SET` and are what `RESET ALL` and `DISCARD ALL` go back to. Interval style and float digits have no
/// such variable: they are looked at after connecting and after a reset, and set if a server has them otherwise.
enum SessionDefaults {
    /// Writes libpq's variables, once per process, before the first connect. A `PGTZ` of the user's own stays.
    static let areInEnvironment: Bool = setenv("PGDATESTYLE", "ISO", 1) == 0 && setenv("PGTZ", "UTC", 0) == 0

    /// SQL that brings a session into line, nil if it already is. No round trip: looks at reported parameters.
    static func correction(for raw: OpaquePointer) -> String? {
        var statements: [String] = []
        if let style = parameter("IntervalStyle", raw), style != "postgres" {
            statements.append("SET IntervalStyle = postgres")
        }
        if let style = parameter("DateStyle", raw), !style.hasPrefix("ISO") {
            statements.append("SET DateStyle = ISO")
        }
        if PQserverVersion(raw) < 120_000 { statements.append("SET extra_float_digits = 3") }
        return statements.isEmpty ? nil : statements.joined(separator: "; ")
    }

    private static func parameter(_ name: String, _ raw: OpaquePointer) -> String? {
        PQparameterStatus(raw, name).map { String(cString: $0) }
    }
}
