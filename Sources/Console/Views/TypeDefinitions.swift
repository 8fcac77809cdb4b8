import PostgresProtocol
import Scripting

/// Definitions of rows for the Lua language server. A table is a class, which `PipelineTables` gives to the functions
/// that stand beside the table's name.
struct TypeDefinitions {
    let text: String

    /// - Parameter owner: whose tables they are, for people.
    init(_ tables: [TableTypes], of owner: String) {
        var names = ClassNames()
        var seen: [QualifiedName: [[TableTypes.Column]]] = [:]
        var known: [String] = []
        var text = Self.heading(owner)
        for table in tables where seen[table.table]?.contains(table.row) != true {
            let name = names.take(table.table)
            text += "\n" + Self.row(table, name)
            // Of a table that two pipelines see differently, one can be known by the table's name.
            if seen[table.table] == nil {
                let key = FieldName.quoted("\(table.table)")
                known.append("---@field [\(key)] \(Self.function(name))|\(name).options|Copy|Skip|nil\n")
            }
            seen[table.table, default: []].append(table.row)
        }
        self.text = text + "\n---@class PipelineTables\n" + known.joined()
    }

    private static func heading(_ owner: String) -> String {
        """
        ---@meta _
        -- The tables of \(owner), for the Lua language server, as "replhost types" writes them. Never executed.
        -- In "tables" of a pipeline, a function beside a table's name knows its row. Elsewhere, say which one it is:
        --   ---@param row public.customers

        """
    }

    private static func function(_ name: String) -> String {
        "(fun(row: \(name), event: \(name).event): TransformResult)"
    }

    /// The row, and what functions get beside it or around it.
    private static func row(_ table: TableTypes, _ name: String) -> String {
        let title = "\(table.table)" + (table.comment.map { ": " + $0 } ?? "")
        let fields = table.row.map { field($0) + "\n" }.joined()
        return """
            --- \(line(title))
            ---@class (exact) \(name): Row
            \(fields)
            ---@class \(name).event: Event
            ---@field old \(name)?

            ---@class \(name).batch: RowBatch
            ---@field each fun(self: \(name).batch): fun(): \(name)?

            ---@class \(name).options: TableOptions
            ---@field transform \(function(name))|nil
            ---@field transform_batch fun(batch: \(name).batch, event: Event)|nil

            """
    }

    private static func field(_ column: TableTypes.Column) -> String {
        var facts = [column.type]
        if let base = column.baseType { facts.append("a domain over \(base)") }
        if let target = column.targetType { facts.append("\(target) in the target") }
        if column.isKey { facts.append("key") }
        if column.isGenerated { facts.append("generated") }
        let type = column.isNotNull ? column.luaType : optional(column.luaType)
        let comment = column.comment.map { ": " + $0 } ?? ""
        return "---@field \(FieldName.text(column.name)) \(type) # " + line(facts.joined(separator: ", ") + comment)
    }

    private static func optional(_ type: String) -> String { type.contains("|") ? "\(type)|nil" : type + "?" }

    /// Text of anybody's, as one line.
    private static func line(_ text: String) -> String {
        TerminalText.escaped(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    }
}

/// Names of classes, each once.
private struct ClassNames {
    private var taken: Set<String> = []

    mutating func take(_ table: QualifiedName) -> String {
        let name = Self.word(table.schema ?? "public") + "." + Self.word(table.name)
        var candidate = name
        var number = 1
        while !taken.insert(candidate).inserted {
            number += 1
            candidate = "\(name)_\(number)"
        }
        return candidate
    }

    private static func word(_ text: String) -> String {
        String(
            text.unicodeScalars.map { scalar in
                scalar.value >= 0x80 || FieldName.isWord(scalar) ? Character(scalar) : "_"
            })
    }
}

/// A column's name as `@field` takes it.
enum FieldName {
    /// Lua's own words, and those that mean something behind `@field`.
    private static let reserved: Set<String> = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
        "not", "or", "repeat", "return", "then", "true", "until", "while", "fun", "async", "public", "protected",
        "private", "package",
    ]

    static func text(_ name: String) -> String {
        let first = name.unicodeScalars.first.map { isWord($0) && !("0"..."9").contains($0) } ?? false
        let isPlain = first && name.unicodeScalars.allSatisfy(isWord) && !reserved.contains(name)
        return isPlain ? name : "[\(quoted(name))]"
    }

    /// In the quotes that the name does not have: not every reader of definitions knows escapes.
    static func quoted(_ name: String) -> String {
        let literal = LuaLiteral.quoted(name)
        guard name.contains("\""), !name.contains("'") else { return literal }
        return "'" + literal.dropFirst().dropLast().replacing("\\\"", with: "\"") + "'"
    }

    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "_"
    }
}
