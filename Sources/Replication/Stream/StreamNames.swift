import PostgresProtocol

/// What a pipeline's slot and publications are called on the source.
package struct StreamNames: Sendable, Equatable {
    package let slot: String
    /// Of tables whose rows can be told apart.
    let publication: String
    /// Of tables without an identity, which are published for their inserts only.
    let insertsPublication: String

    /// Slot names have lower-case letters, digits and underscores, up to 63 of them. A name that has others, or is long,
    /// gets a number made from it, so that different pipelines never share a slot.
    package init(_ pipeline: String) {
        let plain = String(pipeline.lowercased().map { Self.isPlain($0) ? $0 : "_" }.prefix(30))
        let isSame = plain == pipeline
        slot = "replhost_" + (isSame ? plain : "\(plain)_\(Self.number(of: pipeline))")
        publication = slot
        insertsPublication = slot + "_inserts"
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
