package import PostgresProtocol

/// A table's name in a pipeline: `public.orders`, or with `*` (any characters) and `?` (one) in either part. As in SQL,
/// parts without double quotes are folded to lower case; in double quotes nothing is special.
package struct TablePattern: Sendable, Hashable {
    private enum Piece: Sendable, Hashable {
        case character(Character)
        case one
        case any
    }

    /// As it was written.
    package let text: String
    private let schema: [Piece]
    private let name: [Piece]

    /// Nil unless the text is `schema.name`; a name alone means `public.name`.
    package init?(_ text: String) {
        guard let parts = Self.parse(text) else { return nil }
        self.text = text
        schema = parts.schema
        name = parts.name
    }

    package func matches(_ table: QualifiedName) -> Bool {
        Self.matches(schema[...], Array(table.schema ?? "public")[...])
            && Self.matches(name[...], Array(table.name)[...])
    }

    /// The name if there is nothing special in it.
    package var exactName: QualifiedName? {
        guard let schema = Self.literal(schema), let name = Self.literal(name) else { return nil }
        return QualifiedName(schema: schema, name: name)
    }

    /// More characters that are given win; of equally many, the pattern with fewer `*`.
    package static func isMoreSpecific(_ left: TablePattern, than right: TablePattern) -> Bool {
        let (mine, other) = (left.weight, right.weight)
        return mine > other
    }

    private var weight: (exact: Int, name: Int, schema: Int, wildcards: Int) {
        let characters: ([Piece]) -> Int = { $0.count { if case .character = $0 { true } else { false } } }
        let wildcards = (schema + name).count { $0 == .any }
        return (exactName == nil ? 0 : 1, characters(name), characters(schema), -wildcards)
    }

    private static func literal(_ pieces: [Piece]) -> String? {
        var text = ""
        for piece in pieces {
            guard case .character(let character) = piece else { return nil }
            text.append(character)
        }
        return text
    }

    private static func matches(_ pattern: ArraySlice<Piece>, _ text: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case .character(let character): return text.first == character && matches(rest, text.dropFirst())
        case .one: return !text.isEmpty && matches(rest, text.dropFirst())
        case .any:
            return matches(rest, text) || (!text.isEmpty && matches(pattern, text.dropFirst()))
        }
    }

    private static func parse(_ text: String) -> (schema: [Piece], name: [Piece])? {
        var parts: [[Piece]] = [[]]
        var isQuoted = false
        var characters = Array(text)[...]
        while let character = characters.popFirst() {
            if character == "\"" {
                if isQuoted, characters.first == "\"" {
                    characters.removeFirst()
                    parts[parts.count - 1].append(.character("\""))
                } else {
                    isQuoted.toggle()
                }
            } else if isQuoted {
                parts[parts.count - 1].append(.character(character))
            } else if character == "." {
                parts.append([])
            } else {
                parts[parts.count - 1] += pieces(character)
            }
        }
        guard !isQuoted, parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        return parts.count == 2 ? (parts[0], parts[1]) : (Array("public").map(Piece.character), parts[0])
    }

    private static func pieces(_ character: Character) -> [Piece] {
        switch character {
        case "*": [.any]
        case "?": [.one]
        default: character.isASCII ? character.lowercased().map(Piece.character) : [.character(character)]
        }
    }
}

extension PipelineDefinition {
    /// The rule that counts for a table, nil if none matches.
    package func rule(for table: QualifiedName) -> Int? {
        rules.indices.filter { rules[$0].pattern.matches(table) }
            .max { TablePattern.isMoreSpecific(rules[$1].pattern, than: rules[$0].pattern) }
    }
}
