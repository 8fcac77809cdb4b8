import PostgresProtocol
import Replication
import Testing

@testable import Scripting

/// What `transform_batch` sees, and what becomes of its rows.
@Suite struct PipelineLuaBatchTests {
    private let rows: [[String?]] = (1...2500).map { ["\($0)", "user\($0)", nil, $0 % 2 == 0 ? "DE" : "AT", nil] }

    private func customers(_ body: String, _ options: String = "") -> String {
        """
        local sizes, log = {}, {}
        return shop { ['public.customers'] = { transform_batch = function(batch, event)
        \(body)
        end, \(options) } }
        """
    }

    @Test func rowsAreChangedDroppedAndEmitted() async throws {
        let outcome = try await PipelineLua.transform(
            customers(
                """
                assert(event.op == "read" and #batch <= 1000)
                for row in batch:each() do
                  row.email = row.email:upper()
                  if row.country == "AT" then batch:drop(row) end
                end
                local left = 0
                for row in batch:each() do left = left + 1 end
                batch:emit("dw.sizes", { total = #batch, kept = left })
                """), rows, others: [PipelineLua.table("dw.sizes", [("total", .int4), ("kept", .int4)])])

        #expect(outcome.failure == nil)
        #expect(
            outcome.rows.filter { $0.hasPrefix("dw") }.sorted() == [
                "dw.sizes(total=1000, kept=500)", "dw.sizes(total=1000, kept=500)", "dw.sizes(total=500, kept=250)",
            ])
        #expect(outcome.rows.contains("public.customers(id=2, email=USER2, amount=NULL, country=DE, at=NULL)"))
        #expect(outcome.counts.written == 1253 && outcome.counts.dropped == 1250 && outcome.counts.read == 2500)
    }

    @Test(arguments: [
        ("return batch", "RH3206 transform_batch returned a table"),
        ("batch:drop({})", "RH3208 batch:drop: expected a row of this batch, got table"),
        ("batch:dorp()", "RH1008 a batch has no \"dorp\", did you mean \"drop\"?"),
        ("batch:emit('dw.x', { a = 1 })", "RH3300 the target has no table dw.x"),
        ("return event.key", "RH3205 the event of a batch has no \"key\""),
        ("if log[1] then print(log[1].id) end for row in batch:each() do log[1] = row end", "RH3211 the row was used"),
        ("for row in batch:each() do if row.id == 7 then row.amount = 'x' end end", "RH2213 column \"amount\""),
    ])
    func whatIsWrongStopsTheTable(_ body: String, _ message: String) async throws {
        let outcome = try await PipelineLua.transform(customers(body), rows)
        let failure = try #require(outcome.failure)

        #expect("\(failure.code) \(failure.message)".hasPrefix(message))
        #expect(failure.key.map(\.value) == (message.hasPrefix("RH2213") ? ["7"] : []))
        #expect(failure.position == "shop.lua:3" || failure.position == "shop.lua:2")
    }

    @Test(arguments: ["skip", "dead_letter"])
    func onlyTheGuiltyRowsAreLost(policy: String) async throws {
        let outcome = try await PipelineLua.transform(
            customers(
                """
                for row in batch:each() do
                  row.email = row.email .. "!"
                  if row.id == 70 then error("boom") end
                  if row.id == 1500 then row.amount = "x" end
                  if row.id % 1000 == 1 then batch:emit("dw.log", { id = row.id }) end
                  if row.id == 3 then batch:drop(row) end
                end
                """, "on_error = '\(policy)'"), rows, others: [PipelineLua.table("dw.log", [("id", .int8)])])

        #expect(outcome.failure == nil)
        #expect(outcome.counts.skipped + outcome.counts.deadLetters == 2)
        #expect(outcome.counts.written == 2500 - 3 + 3 && outcome.counts.dropped == 1)
        #expect(outcome.rows.contains("public.customers(id=71, email=user71!, amount=NULL, country=AT, at=NULL)"))
        #expect(Set(outcome.rows).count == outcome.rows.count)
        #expect(
            outcome.letters.map(\.row)
                == (policy == "skip"
                    ? []
                    : [
                        "id=70, email=user70, amount=NULL, country=DE, at=NULL",
                        "id=1500, email=user1500, amount=NULL, country=DE, at=NULL",
                    ]))
    }
}
