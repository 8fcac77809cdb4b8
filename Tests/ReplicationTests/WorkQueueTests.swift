import PostgresProtocol
import Replication
import Testing

struct WorkQueueTests {
    private struct Step: TableStep {
        var name: String
        var tables: Set<QualifiedName> = [large]
        var size = 0
        var isShared = false
    }

    private typealias Queue = WorkQueue<Step>

    private static let (large, small) = (QualifiedName(name: "large"), QualifiedName(name: "small"))

    private let chunks = [(0, 1), (0, 2), (1, 1)].map { table, number in
        Queue.ChunkTask(table: table, chunk: Chunk(number: number, relation: Self.large, range: .whole))
    }

    private func makeQueue(_ chunks: [Queue.ChunkTask], _ stages: [[Step]], workers: Int = 2) -> Queue {
        Queue(chunks, targets: [Self.large, Self.small], stages: stages, workers: workers)
    }

    private func describe(_ work: Queue.Work) -> String {
        switch work {
        case .chunk(let task): "chunk \(task.table).\(task.chunk.number)"
        case .step(let task, let isAlone): isAlone ? "\(task.step.name) alone" : task.step.name
        case .wait: "wait"
        case .finished: "finished"
        }
    }

    /// As many as there are; to be finished later.
    private func begin(_ queue: inout Queue) -> (seen: [String], tasks: [Queue.StepTask]) {
        var (seen, tasks): ([String], [Queue.StepTask]) = ([], [])
        while true {
            let work = queue.next()
            seen.append(describe(work))
            guard case .step(let task, _) = work else { return (seen, tasks) }
            tasks.append(task)
        }
    }

    @Test func stepsOfATableFollowItsLastChunk() throws {
        var queue = makeQueue(Array(chunks.prefix(2)), [[Step(name: "index")]])
        var seen = [describe(queue.next()), describe(queue.next()), describe(queue.next())]
        queue.finished(chunks[0])
        seen.append(describe(queue.next()))
        queue.finished(chunks[1])
        let (last, tasks) = begin(&queue)
        queue.finished(try #require(tasks.first))

        #expect(seen == ["chunk 0.1", "chunk 0.2", "wait", "wait"])
        #expect(last == ["index alone", "wait"])
        #expect(describe(queue.next()) == "finished")
    }

    @Test func theLargestStepIsTheFirstWhicheverTableItIsOf() {
        let steps = [
            Step(name: "a", size: 1, isShared: true), Step(name: "b", size: 3, isShared: true),
            Step(name: "c", tables: [Self.small], size: 2),
        ]
        var queue = makeQueue([], [steps])

        #expect(begin(&queue).seen == ["b", "c", "a", "wait"])
    }

    @Test func aStageBeginsWhenAllBeforeItIsDoneForItsTables() {
        let stages = [
            [Step(name: "a", isShared: true), Step(name: "b", isShared: true)], [],
            [
                Step(name: "c"), Step(name: "d", tables: [Self.small]),
                Step(name: "e", tables: [Self.small, Self.large]),
            ],
        ]
        var queue = makeQueue([], stages)
        let (first, tasks) = begin(&queue)
        queue.finished(tasks[0])
        let second = describe(queue.next())
        queue.finished(tasks[1])
        let (third, others) = begin(&queue)
        queue.finished(others[0])
        queue.finished(tasks[2])

        #expect(first == ["a", "b", "d", "wait"])
        #expect((second, third) == ("wait", ["c", "wait"]))
        #expect(begin(&queue).seen == ["e alone", "wait"])
    }

    @Test func whatWouldWaitForALockIsLeftForLater() {
        let steps = [
            Step(name: "a", size: 4), Step(name: "b", size: 3), Step(name: "c", size: 2, isShared: true),
            Step(name: "d", tables: [Self.small], size: 1),
        ]
        var queue = makeQueue([], [steps])
        let (first, tasks) = begin(&queue)
        queue.finished(tasks[0])
        let (second, others) = begin(&queue)
        queue.finished(others[0])

        #expect((first, second) == (["a", "d", "wait"], ["b", "wait"]))
        #expect(begin(&queue).seen == ["c", "wait"])
    }

    @Test func onlyTheFirstStageBeginsBesideChunks() {
        let stages = [[Step(name: "index", tables: [Self.small])], [Step(name: "key", tables: [Self.small])]]
        var queue = makeQueue([chunks[0]], stages)
        let (chunk, _) = begin(&queue)
        let (first, tasks) = begin(&queue)
        queue.finished(tasks[0])
        let (second, _) = begin(&queue)
        queue.finished(chunks[0])

        #expect((chunk, first, second) == (["chunk 0.1"], ["index", "wait"], ["wait"]))
        #expect(begin(&queue).seen == ["key alone", "wait"])
    }

    @Test func aLoneWorkerHasTheServerForItself() {
        var queue = makeQueue([], [[Step(name: "a"), Step(name: "b", tables: [Self.small])]], workers: 1)

        #expect(describe(queue.next()) == "a alone")
    }
}
