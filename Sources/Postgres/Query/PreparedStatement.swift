package import PostgresProtocol

/// A statement that the server has parsed for one session.
package final class PreparedStatement: Sendable {
    package let sql: String
    /// On the server; empty for the unnamed statement.
    let name: String
    /// Declared or inferred, one for each parameter.
    package let parameterTypes: [OID]
    /// The result's columns in the format they will be asked for; none if it returns no rows.
    package let shape: ResultShape
    let format: DataFormat
    /// Running it may change session state.
    let dirties: Bool
    /// COPY and a subquery can run it.
    let isPlainQuery: Bool

    init(sql: String, name: String, parameterTypes: [OID], described: ResultShape) {
        let traits = StatementTraits(sql)
        self.sql = sql
        self.name = name
        self.parameterTypes = parameterTypes
        self.format = described.bestFormat
        self.shape = described.requested(in: described.bestFormat)
        dirties = traits.dirties
        isPlainQuery = traits.isPlainQuery
    }
}
