import Postgres
import PostgresProtocol

/// What a pipeline's slot and publications are called on the source.
struct StreamNames: Sendable, Equatable {
    let slot: String
    /// Of tables whose rows can be told apart.
    let publication: String
    /// Of tables without an identity, which are published for their inserts only.
    let insertsPublication: String

    /// As the ledger has it.
    init(slot: String) {
        self.slot = slot
        publication = slot
        insertsPublication = slot + "_inserts"
    }

    /// Slots belong to a whole server: the same pipeline may stream from several of its databases, and into several
    /// targets, and each has a slot of its own. Their names have lower-case letters, digits and underscores, 63 at most.
    init(_ pipeline: String, from source: SourceIdentity, to target: SourceIdentity) {
        let plain = String(pipeline.lowercased().map { Self.isPlain($0) ? $0 : "_" }.prefix(30))
        let all = [pipeline, source.database, target.system, target.database].joined(separator: "\n")
        self.init(slot: "replhost_\(plain)_\(Self.number(of: all))")
    }

    /// Those that the ledger knows, else those of a stream that is new.
    static func read(
        _ pipeline: String, _ ledger: Ledger, source: Connection, target: Connection
    ) async throws(ReplicationError) -> StreamNames {
        if try await ledger.exists(), let slot = try await ledger.stream()?.slot { return StreamNames(slot: slot) }
        return StreamNames(
            pipeline, from: try await SourceIdentity.read(source, .source),
            to: try await SourceIdentity.read(target, .target))
    }

    private static func isPlain(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }

    /// FNV-1a.
    private static func number(of text: String) -> String {
        let hash = text.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 36)
    }
}
