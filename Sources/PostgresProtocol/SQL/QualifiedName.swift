/// A relation's name, with or without its schema.
package struct QualifiedName: Hashable, Sendable {
    package var schema: String?
    package var name: String

    package init(schema: String? = nil, name: String) {
        self.schema = schema
        self.name = name
    }

    /// For SQL: every part quoted.
    package var sql: String {
        guard let schema else { return SQLText.quoteIdentifier(name) }
        return SQLText.quoteIdentifier(schema) + "." + SQLText.quoteIdentifier(name)
    }
}

extension QualifiedName: CustomStringConvertible, Comparable {
    /// For people: quotes only where a part needs them. `init(parsing:)` reads it back.
    package var description: String {
        guard let schema else { return SQLText.displayIdentifier(name) }
        return SQLText.displayIdentifier(schema) + "." + SQLText.displayIdentifier(name)
    }

    package static func < (left: QualifiedName, right: QualifiedName) -> Bool {
        (left.schema ?? "", left.name) < (right.schema ?? "", right.name)
    }
}

extension QualifiedName {
    /// Reads `orders`, `public.orders`, `"Odd ""name"""."x.y"`. As in SQL, a part without quotes is folded to lower case.
    /// Nil when a part is empty, a quote is open, something follows a quoted part, or there are more than two parts.
    package init?(parsing text: String) {
        var parts: [String] = []
        var rest = Array(text.utf8)[...]
        while true {
            guard let part = Self.takePart(&rest) else { return nil }
            parts.append(part)
            if rest.isEmpty { break }
            guard rest.removeFirst() == UInt8(ascii: "."), parts.count < 2 else { return nil }
        }
        self.init(schema: parts.count == 2 ? parts[0] : nil, name: parts[parts.count - 1])
    }

    private static func takePart(_ rest: inout ArraySlice<UInt8>) -> String? {
        rest.first == UInt8(ascii: "\"") ? takeQuoted(&rest) : takeBare(&rest)
    }

    private static func takeQuoted(_ rest: inout ArraySlice<UInt8>) -> String? {
        let quote = UInt8(ascii: "\"")
        var part: [UInt8] = []
        rest.removeFirst()
        while let byte = rest.popFirst() {
            guard byte == quote else {
                part.append(byte)
                continue
            }
            guard rest.first == quote else { return part.isEmpty ? nil : String(decoding: part, as: UTF8.self) }
            rest.removeFirst()
            part.append(quote)
        }
        return nil
    }

    private static func takeBare(_ rest: inout ArraySlice<UInt8>) -> String? {
        let part = rest.prefix { $0 != UInt8(ascii: ".") }
        guard !part.isEmpty, !part.contains(UInt8(ascii: "\"")) else { return nil }
        rest = rest[part.endIndex...]
        return String(decoding: part.map(ASCII.lowercased), as: UTF8.self)
    }
}
