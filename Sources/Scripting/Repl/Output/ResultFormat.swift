/// How results are written.
package struct ResultFormat: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Aligned, for people.
        case table
        /// As `COPY … (FORMAT csv, HEADER)`: NULL is nothing, empty text is `""`.
        case csv
        /// As `COPY`'s text format below a line of names: NULL is `\N`.
        case tsv
        /// An object in each line.
        case json
    }

    /// A line for each field instead of one for each row.
    package enum Expansion: String, Sendable, CaseIterable {
        case on, off
        /// When the table is wider than the window.
        case auto
    }

    package var kind: Kind
    package var expansion = Expansion.auto
    /// Columns of the window; 0 when there is none.
    package var width = 0

    package init(_ kind: Kind) { self.kind = kind }

    /// What is not rows (command tags, counts) is shown, too.
    package var isForPeople: Bool { kind == .table }
}

/// Where the bytes of results go. Called on the host's thread, which may block there: nothing is read meanwhile.
package protocol ResultSink: AnyObject, Sendable {
    /// False if nobody wants more: what runs is ended.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool
}
