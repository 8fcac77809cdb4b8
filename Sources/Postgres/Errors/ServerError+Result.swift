import CLibpq

extension ServerError {
    /// The error or notice that a result carries; nil if it has no SQLSTATE, as when libpq made it up itself.
    init?(result: OpaquePointer, query: String? = nil) {
        guard let sqlstate = Self.field(.sqlstate, of: result) else { return nil }
        self.init(
            severity: Self.field(.severityNonlocalized, of: result) ?? Self.field(.severity, of: result) ?? "ERROR",
            sqlstate: sqlstate, message: Self.field(.message, of: result) ?? "", query: query)
        detail = Self.field(.detail, of: result)
        hint = Self.field(.hint, of: result)
        position = Self.field(.position, of: result).flatMap { Int($0) }
        internalPosition = Self.field(.internalPosition, of: result).flatMap { Int($0) }
        internalQuery = Self.field(.internalQuery, of: result)
        context = Self.field(.context, of: result)
        schema = Self.field(.schema, of: result)
        table = Self.field(.table, of: result)
        column = Self.field(.column, of: result)
        dataType = Self.field(.dataType, of: result)
        constraint = Self.field(.constraint, of: result)
    }

    /// libpq's `PG_DIAG_…` codes, which are macros over characters.
    private enum Field: Unicode.Scalar {
        case severity = "S"
        case severityNonlocalized = "V"
        case sqlstate = "C"
        case message = "M"
        case detail = "D"
        case hint = "H"
        case position = "P"
        case internalPosition = "p"
        case internalQuery = "q"
        case context = "W"
        case schema = "s"
        case table = "t"
        case column = "c"
        case dataType = "d"
        case constraint = "n"
    }

    private static func field(_ field: Field, of result: OpaquePointer) -> String? {
        PQresultErrorField(result, CInt(field.rawValue.value)).map { String(cString: $0) }
    }
}
