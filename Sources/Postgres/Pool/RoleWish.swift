import Synchronization

/// Which role of a server `target_session_attrs` asks for, as last seen in the settings of a connect.
final class RoleWish: Sendable {
    private enum Wish: UInt8, AtomicRepresentable {
        case any
        /// "read-write" and "primary".
        case primary
        /// "read-only" and "standby".
        case standby
    }

    private let wish = Atomic(Wish.any)

    /// Takes the wish from what a connection is about to be made with.
    func follow(_ settings: ConnectionSettings) {
        let seen: Wish =
            switch settings["target_session_attrs"] {
            case "read-write", "primary": .primary
            case "read-only", "standby": .standby
            default: .any
            }
        wish.store(seen, ordering: .relaxed)
    }

    var isSet: Bool { wish.load(ordering: .relaxed) != .any }

    /// Looks at what the server last reported (PostgreSQL 14 and later); no round trip. An older server is believed.
    func isFulfilled(by connection: Connection) -> Bool {
        guard let isStandby = connection.parameter("in_hot_standby") else { return true }
        return switch wish.load(ordering: .relaxed) {
        case .any: true
        case .primary: isStandby == "off"
        case .standby: isStandby == "on"
        }
    }
}
