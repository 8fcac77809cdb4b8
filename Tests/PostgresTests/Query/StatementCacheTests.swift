import PostgresProtocol
import TestSupport
import Testing

@testable import Postgres

struct StatementCacheTests {
    private func key(_ sql: String) -> StatementCache.Key { StatementCache.Key(sql: sql, types: []) }

    private func statement(_ name: String) -> PreparedStatement {
        PreparedStatement(
            sql: name, name: name, parameterTypes: [], described: ResultShape(columns: []))
    }

    private func cache(_ names: String..., capacity: Int) -> StatementCache {
        var cache = StatementCache(capacity: capacity)
        for name in names { cache.insert(statement(name), for: key(name)) }
        return cache
    }

    @Test func dropsTheLeastRecentlyUsed() {
        var cache = cache("a", "b", "c", capacity: 3)
        _ = cache.find(key("a"))
        cache.insert(statement("d"), for: key("d"))

        #expect(cache.find(key("b")) == nil)
        #expect(["a", "c", "d"].allSatisfy { cache.find(key($0))?.name == $0 })
        #expect(cache.takeEvicted() == ["b"])
        #expect(cache.takeEvicted() == [])
    }

    @Test func tellsTypesApart() {
        var cache = StatementCache(capacity: 4)
        cache.insert(statement("x"), for: StatementCache.Key(sql: "q", types: [.int4]))

        #expect(cache.find(StatementCache.Key(sql: "q", types: [.int8])) == nil)
        #expect(cache.find(StatementCache.Key(sql: "q", types: [.int4])) != nil)
    }

    @Test func removesFromEveryPlaceInTheOrder() {
        for name in ["a", "b", "c"] {
            var cache = cache("a", "b", "c", capacity: 3)
            cache.remove(key(name), serverHasIt: name == "b")
            cache.insert(statement("d"), for: key("d"))
            cache.insert(statement("e"), for: key("e"))

            #expect(cache.count == 3)
            #expect(cache.find(key(name)) == nil)
            #expect(cache.find(key("e")) != nil)
        }
    }

    @Test func shrinksAndForgets() {
        var cache = cache("a", "b", "c", capacity: 3)
        cache.resize(to: 1)
        let evicted = cache.takeEvicted()
        cache.forgetAll()
        cache.insert(statement("d"), for: key("d"))

        #expect(evicted == ["a", "b"])
        #expect(cache.count == 1)
        #expect(cache.find(key("c")) == nil)
    }

    @Test func keepsNothingWithoutCapacity() {
        var cache = cache("a", capacity: 0)

        #expect(cache.count == 0)
        #expect(cache.takeEvicted() == ["a"])
    }

    @Test func behavesAsASlowModelUnderRandomUse() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        var cache = StatementCache(capacity: 5)
        var model: [String] = []
        for _ in 0..<5000 {
            let name = "s\(random.next() % 9)"
            if cache.find(key(name)) == nil {
                #expect(!model.contains(name), "seed \(seed)")
                cache.insert(statement(name), for: key(name))
                if model.count == 5 { model.removeLast() }
            } else {
                #expect(model.contains(name), "seed \(seed)")
                model.removeAll { $0 == name }
            }
            model.insert(name, at: 0)
        }

        #expect(cache.count == model.count)
    }
}
