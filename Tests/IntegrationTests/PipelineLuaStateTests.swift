import Replication
import Testing

/// `rh.state`: values that last, and belong to the rows that have changed them.
@Suite struct PipelineLuaStateTests {
    private let rows: [[String?]] = (1...4).map { ["\($0)", "user\($0)", nil, "DE", nil] }

    private func customers(_ body: String, _ options: String = "") -> String {
        """
        local counts = rh.state "counts"
        return shop { ['public.customers'] = { transform = function(row, event)
        \(body)
        end, \(options) } }
        """
    }

    @Test func aChunkSeesItsOwnChanges() async throws {
        let outcome = try await PipelineLua.transform(
            customers(
                """
                assert(counts:get("old").a[1] == 7 and counts:get("none") == nil)
                assert(counts:incr("seen") == 10 + row.id)
                assert(counts:incr("new", 5) == 5 * row.id)
                counts:set("last", { id = row.id })
                assert(counts:get("last").id == row.id)
                counts:set("gone", nil)
                local keys = {}
                for key, value in counts:each() do keys[#keys + 1] = key end
                assert(table.concat(keys, " ") == "last new old seen", table.concat(keys, " "))
                return row
                """), rows, stores: ["counts": ["seen": "10", "old": #"{"a": [7]}"#, "gone": "1"]])

        #expect(outcome.failure == nil && outcome.error == nil)
        #expect(
            outcome.changes == [
                StateChange(store: "counts", key: "gone", effect: .remove),
                StateChange(store: "counts", key: "last", effect: .set(json: #"{"id":4}"#)),
                StateChange(store: "counts", key: "new", effect: .add(20)),
                StateChange(store: "counts", key: "seen", effect: .add(4)),
            ])
    }

    @Test func whatAFailedRowHasChangedIsTakenBack() async throws {
        let outcome = try await PipelineLua.transform(
            customers(
                "counts:incr('seen') counts:set('last', row.id) if row.id > 2 then error('no') end return row",
                "on_error = 'skip'"), rows)

        #expect(outcome.counts.skipped == 2)
        #expect(
            outcome.changes == [
                StateChange(store: "counts", key: "last", effect: .set(json: "2")),
                StateChange(store: "counts", key: "seen", effect: .add(2)),
            ])
    }

    @Test(arguments: [
        ("counts:incr('word') return row", "RH3210 state:incr: the value of \"word\" is not an integer"),
        ("counts:incr('n', 1.5) return row", "RH3101 state:incr: expected an integer, got 1.5"),
        ("counts:get(5) return row", "RH3101 state:get: key: expected a string, got 5"),
        ("counts:gte('a') return row", "RH1008 a state has no \"gte\", did you mean \"get\"?"),
        (
            "rh.spawn(function() counts:get('a') end):wait() return row",
            "RH3209 rh.state is used outside of a transform"
        ),
    ])
    func misuseIsAnError(_ body: String, _ message: String) async throws {
        let outcome = try await PipelineLua.transform(
            customers(body), rows, stores: ["counts": ["word": "\"x\""]])
        let failure = try #require(outcome.failure)

        #expect("\(failure.code) \(failure.message)".hasPrefix(message))
        #expect(outcome.changes.isEmpty)
    }
}
