import CLuaShim
import LuaRuntime
import PostgresProtocol

/// Encodes rows and tables as rows of COPY for some columns of a table, in one format.
final class RowEncoder {
    struct Column {
        let name: String
        let kind: ValueKind
    }

    /// How rows of one shape go into the columns.
    private final class Mapping {
        let shape: RowShape
        /// For each column the row's column, if it has one.
        let sources: [Int?]
        /// Whether a column's bytes can be taken as they are.
        let isDirect: [Bool]
        /// Neighbouring columns that were not assigned are one piece of bytes, as is a row without changes.
        let isIdentity: Bool

        init(_ shape: RowShape, sources: [Int?], isDirect: [Bool], isIdentity: Bool) {
            self.shape = shape
            self.sources = sources
            self.isDirect = isDirect
            self.isIdentity = isIdentity
        }
    }

    let format: DataFormat
    /// Fields are behind their lengths, as in binary COPY, whatever format they have.
    private let isFramed: Bool
    private let columns: [Column]
    /// The columns' kinds, without anything that is counted.
    private let kinds: [ValueKind]
    private let indices: [String: Int]
    private let rows: RowLibrary
    private let mayOmit: Bool
    private var scratch = ByteBuffer()
    private var mapping: Mapping?

    /// - Parameters:
    ///   - isFramed: nil: if the format is binary.
    ///   - mayOmit: rows have columns that are left out.
    init(
        _ columns: [Column], _ format: DataFormat, isFramed: Bool? = nil, mayOmit: Bool = false, _ rows: RowLibrary
    ) {
        self.columns = columns
        self.isFramed = isFramed ?? (format == .binary)
        self.mayOmit = mayOmit
        kinds = columns.map(\.kind)
        self.format = format
        self.rows = rows
        indices = Dictionary(columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Appends the row at `index` of the stack. After an error the buffer's end is the caller's to cut off.
    func append(
        _ row: RowUserdata, at index: Int32, of stack: LuaStack, to buffer: inout ByteBuffer
    ) throws(ScriptError) {
        let mapping = try mapping(for: row.unmanagedShape)
        if mapping.isIdentity { return try appendIdentical(row, at: index, of: stack, to: &buffer) }
        if isFramed { CopyBinaryWriter.appendFieldCount(columns.count, to: &buffer) }
        for (column, source) in mapping.sources.enumerated() {
            if !isFramed, column > 0 { CopyTextWriter.appendSeparator(to: &buffer) }
            guard let source else {
                appendRaw(nil, to: &buffer)
                continue
            }
            if row.mayBeAssigned(source), rows.pushAssigned(source, of: index, to: stack) {
                try appendValue(column, stack, to: &buffer)
                stack.pop()
            } else if mapping.isDirect[column] {
                appendRaw(source < mapping.shape.fieldCount ? row.field(source) : nil, to: &buffer)
            } else {
                try rows.pushValue(of: row, source, at: index, to: stack)
                try appendValue(column, stack, to: &buffer)
                stack.pop()
            }
        }
        if !isFramed { CopyTextWriter.appendRowEnd(to: &buffer) }
    }

    /// Appends the table at `index`: values by column name, else by position.
    func appendTable(at index: Int32, of stack: LuaStack, to buffer: inout ByteBuffer) throws(ScriptError) {
        if isFramed { CopyBinaryWriter.appendFieldCount(columns.count, to: &buffer) }
        for column in columns.indices {
            if !isFramed, column > 0 { CopyTextWriter.appendSeparator(to: &buffer) }
            if stack.getField(columns[column].name, of: index) == .nil {
                stack.pop()
                stack.pushElement(column + 1, of: index)
            }
            try appendValue(column, stack, to: &buffer)
            stack.pop()
        }
        if !isFramed { CopyTextWriter.appendRowEnd(to: &buffer) }
    }

    /// Throws if the table at `index` has a key that is no column's name or position.
    func checkKeys(ofTableAt index: Int32, _ stack: LuaStack) throws(ScriptError) {
        try stack.forEach(in: index) { (key, _) throws(ScriptError) in
            if stack.type(at: key) == .number {
                guard let number = stack.integer(at: key), number >= 1, number <= columns.count else {
                    throw ScriptError(
                        code: "RH2104", "no column \(DisplayText.short(of: key, stack)): there are \(columns.count)")
                }
            } else if let name = stack.string(at: key), indices[name] == nil {
                throw unknownColumn(name)
            }
        }
    }

    // MARK: Fields

    /// A binary row whose fields are in the columns' order and form.
    private func appendIdentical(
        _ row: RowUserdata, at index: Int32, of stack: LuaStack, to buffer: inout ByteBuffer
    ) throws(ScriptError) {
        guard row.isChanged else {
            return CopyBinaryWriter.appendRow(row.fields, columns: columns.count, to: &buffer)
        }
        let memory = buffer.space(
            for: RowLayout.wireBytes(of: 0..<columns.count, in: row.fields).count + Self.usualGrowth)
        let count = rh_write_changed_row(stack.thread, index, memory, buffer.capacity - buffer.count)
        if count >= 0 { return buffer.advance(by: Int(count)) }
        try appendChanged(row, at: index, of: stack, to: &buffer)
    }

    /// Bytes by which assigned values make most rows longer at most.
    private static let usualGrowth = 256

    private func appendChanged(
        _ row: RowUserdata, at index: Int32, of stack: LuaStack, to buffer: inout ByteBuffer
    ) throws(ScriptError) {
        CopyBinaryWriter.appendFieldCount(columns.count, to: &buffer)
        var start = 0
        for column in kinds.indices
        where row.mayBeAssigned(column) && rows.pushAssigned(column, of: index, to: stack) {
            buffer.append(RowLayout.wireBytes(of: start..<column, in: row.fields))
            try appendValue(column, stack, to: &buffer)
            stack.pop()
            start = column + 1
        }
        buffer.append(RowLayout.wireBytes(of: start..<columns.count, in: row.fields))
    }

    @inline(__always)
    private func appendRaw(_ field: UnsafeRawBufferPointer?, to buffer: inout ByteBuffer) {
        if isFramed {
            CopyBinaryWriter.appendField(field, to: &buffer)
        } else {
            CopyTextWriter.appendField(field, to: &buffer)
        }
    }

    /// Encodes the value on top of the stack for a column.
    private func appendValue(_ index: Int, _ stack: LuaStack, to buffer: inout ByteBuffer) throws(ScriptError) {
        let mark = isFramed ? CopyBinaryWriter.beginField(in: &buffer) : buffer.count
        let hasValue: Bool
        do {
            hasValue = try rows.writer.append(stack.count, of: stack, as: kinds[index], format, to: &buffer)
        } catch {
            throw ScriptError(code: "RH2213", "column \"\(columns[index].name)\": \(error.description)")
        }
        switch (isFramed, hasValue) {
        case (true, true): CopyBinaryWriter.endField(mark, in: &buffer)
        case (false, true): CopyTextWriter.escapeField(from: mark, in: &buffer, scratch: &scratch)
        case (_, false):
            buffer.truncate(to: mark)
            appendRaw(nil, to: &buffer)
        }
    }

    // MARK: Mapping

    @inline(__always)
    private func mapping(for shape: Unmanaged<RowShape>) throws(ScriptError) -> Mapping {
        if let mapping, Unmanaged.passUnretained(mapping.shape).toOpaque() == shape.toOpaque() { return mapping }
        let made = try makeMapping(shape.takeUnretainedValue())
        mapping = made
        return made
    }

    private func makeMapping(_ shape: RowShape) throws(ScriptError) -> Mapping {
        for column in shape.columns.prefix(shape.fieldCount) where indices[column.name] == nil && !mayOmit {
            throw unknownColumn(column.name)
        }
        let positions = Dictionary(
            shape.columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        let sources = columns.map { positions[$0.name] }
        let isDirect = zip(columns, sources).map { column, source in
            guard let source, source < shape.fieldCount else { return true }
            let given = shape.columns[source]
            return given.format == format && (given.kind == column.kind || format == .text)
        }
        let isIdentity =
            format == .binary && shape.isBinary && isDirect.allSatisfy(\.self)
            && sources == Array(0..<columns.count) && shape.columns.count == columns.count
            && shape.fieldCount == columns.count
        return Mapping(shape, sources: sources, isDirect: isDirect, isIdentity: isIdentity)
    }

    private func unknownColumn(_ name: String) -> ScriptError {
        let near = Suggestion.nearest(to: name, among: columns.map(\.name))
        return ScriptError(
            code: "RH2104",
            "no column \"\(name)\" among those that are written" + (near.map { ", did you mean \"\($0)\"?" } ?? ""),
            hint: "They are \(columns.map(\.name).joined(separator: ", ")).")
    }
}
