import Scripting
import Testing

extension ScriptTests {
    /// `batch:lookup`, which asks a database.
    @Suite struct PipelineLookup {
        @Test func aBatchAsksOnceForAllItsRows() async throws {
            try await ScriptRun.passes(
                """
                local batches = require "replhost.batches"
                local pool = rh.pool { dsn = dsn }
                local asked, queries = nil, 0
                local counting = { query = function(_, sql, values)
                  asked, queries = values, queries + 1
                  return pool:query(sql, values)
                end }
                local rows = {}
                for _, row in ipairs(pool:query("SELECT g % 3 AS id, (g % 3)::numeric AS price, nullif(g, 5) AS other "
                  .. "FROM generate_series(1, 6) g")) do rows[#rows + 1] = row end
                local batch = batches.new(rows, #rows)
                local sql = "SELECT id, 'name' || id AS name FROM generate_series(0, 9) id WHERE id = any($1)"
                local map = batch:lookup(counting, sql, "id")
                eq(#asked, 3) eq(queries, 1)
                for row in batch:each() do eq(map[row.id].name, "name" .. row.id) end
                eq(map[7], nil)
                local prices = batch:lookup(pool, "SELECT p, p * 2 AS twice FROM unnest($1::numeric[]) p", "price")
                for row in batch:each() do eq(tostring(prices[row.price].twice), tostring(row.price * 2)) end
                eq(#rows, 6)
                batch:lookup(counting, sql, "other")
                eq(#asked, 5)
                eq(next(batches.new({}, 0):lookup(counting, sql, "id")), nil) eq(queries, 2)
                raises('no column "idd"', batch.lookup, batch, counting, sql, "idd")
                raises("bad argument #2 to 'batch:lookup'", batch.lookup, batch, pool, nil, "id")
                """)
        }
    }
}
