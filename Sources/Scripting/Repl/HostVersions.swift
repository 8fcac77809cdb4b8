import CLua
import Postgres

/// What this program is made of.
package enum HostVersions {
    package static let replhost = "0.1.0"

    /// One line: "replhost 0.1.0 (Lua 5.4.4, libpq 15.13)".
    package static var text: String {
        "replhost \(replhost) (Lua \(LUA_VERSION_MAJOR).\(LUA_VERSION_MINOR).\(LUA_VERSION_RELEASE), libpq \(LibraryVersion.text))"
    }
}
