import PostgresProtocol
import Scripting
import TestSupport
import Testing

extension ScriptTests {
    @Suite(.slow) struct PipelineIdentityLargest {
        /// A field has at most 1 GB - 1, the memory that the server prints and reads it in as well: hence binary.
        @Test(arguments: ["rh.copy", "function(row) return row end"])
        func theLargestFieldIsCopied(function: String) async throws {
            let file = try PipelineFile(
                """
                return rh.pipeline "largest" { source = source, sink = sink, stream = false, tables = { ["public.t"] = \(function) },
                  limits = { memory = "4GB", row_time = "10m" }, snapshot = { workers = 1 } }
                """)
            try file.run(
                onSource: "CREATE TABLE t (id int, b bytea)", "ALTER TABLE t ALTER b SET STORAGE EXTERNAL",
                "INSERT INTO t SELECT 1, convert_to(repeat('abcdefgh', 134217700), 'SQL_ASCII')")

            _ = try await file.copy().value()

            let sum = "SELECT id, length(b), md5(b) FROM t"
            #expect(try file.server.run(sum, in: file.target) == file.server.run(sum, in: file.source))
        }
    }
}
