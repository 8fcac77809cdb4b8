import PostgresProtocol
import Replication
import Testing

struct WorkQueueTests {
    private struct Step: SizedStep {
        var name: String
        var size: Int
    }

    private static let (large, small) = (QualifiedName(name: "large"), QualifiedName(name: "small"))

    private let chunks = [(0, 1), (0, 2), (1, 1)].map { table, number in
        WorkQueue<Step>.ChunkTask(table: table, chunk: Chunk(number: number, relation: Self.large, range: .whole))
    }

    private func makeQueue(
        _ chunks: [WorkQueue<Step>.ChunkTask], steps: [QualifiedName: [Step]] = [:], stages: [[Step]] = [],
        workers: Int = 2
    ) -> WorkQueue<Step> {
        WorkQueue(chunks, targets: [Self.large, Self.small], steps: steps, stages: stages, workers: workers)
    }

    private func describe(_ work: WorkQueue<Step>.Work) -> String {
        switch work {
        case .chunk(let task): "chunk \(task.table).\(task.chunk.number)"
        case .step(let step, let isAlone): isAlone ? "\(step.name) alone" : step.name
        case .wait: "wait"
        case .finished: "finished"
        }
    }

    @Test func stepsOfATableFollowItsLastChunk() {
        var queue = makeQueue(Array(chunks.prefix(2)), steps: [Self.large: [Step(name: "index", size: 1)]])
        var seen = [describe(queue.next()), describe(queue.next()), describe(queue.next())]
        let isFirstComplete = queue.finished(chunks[0])
        seen.append(describe(queue.next()))
        let isSecondComplete = queue.finished(chunks[1])
        seen.append(describe(queue.next()))
        queue.finishedStep()
        seen.append(describe(queue.next()))

        #expect(seen == ["chunk 0.1", "chunk 0.2", "wait", "wait", "index alone", "finished"])
        #expect((isFirstComplete, isSecondComplete) == (false, true))
    }

    @Test func theLargestStepIsTheFirstWhicheverTableItIsOf() {
        let steps = [
            Self.large: [Step(name: "a", size: 1), Step(name: "b", size: 3)], Self.small: [Step(name: "c", size: 2)],
        ]
        var queue = makeQueue([], steps: steps)
        let seen = (0..<4).map { _ in describe(queue.next()) }

        #expect(seen == ["b", "c", "a", "wait"])
    }

    @Test func aStageBeginsWhenAllBeforeItIsDone() {
        let stages = [[Step(name: "a", size: 0), Step(name: "b", size: 0)], [], [Step(name: "c", size: 0)]]
        var queue = makeQueue([], stages: stages)
        var seen = [describe(queue.next()), describe(queue.next())]
        queue.finishedStep()
        seen.append(describe(queue.next()))
        queue.finishedStep()
        seen.append(describe(queue.next()))

        #expect(seen == ["a", "b", "wait", "c alone"])
    }

    @Test func aLoneWorkerHasTheServerForItself() {
        var queue = makeQueue([], stages: [[Step(name: "a", size: 0), Step(name: "b", size: 0)]], workers: 1)
        let seen = [describe(queue.next())]

        #expect(seen == ["a alone"])
    }
}
