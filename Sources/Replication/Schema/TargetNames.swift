import PostgresProtocol

/// Gives every relation its name in the target: its own, with a suffix where another one has it.
///
/// Given the same requests, it gives the same names again, so that a later plan finds what an earlier one has made.
struct TargetNames {
    private var taken: [QualifiedName: OID] = [:]

    /// A name for the object `oid`; `isForeign` says that the target has something else under a name.
    mutating func assign(_ wanted: QualifiedName, to oid: OID, isForeign: (QualifiedName) -> Bool) -> QualifiedName {
        var candidate = wanted
        var count = 0
        while taken[candidate].map({ $0 != oid }) ?? isForeign(candidate) {
            count += 1
            candidate.name = Self.suffixed(wanted.name, "_\(count)")
        }
        taken[candidate] = oid
        return candidate
    }

    /// A name that is what it is.
    mutating func reserve(_ name: QualifiedName, for oid: OID) { taken[name] = oid }

    /// At most 63 bytes; no character is cut in two.
    static func suffixed(_ name: String, _ suffix: String) -> String {
        var name = name
        while name.utf8.count + suffix.utf8.count > 63 { name.unicodeScalars.removeLast() }
        return name + suffix
    }
}
