package import PostgresProtocol

/// Who does what next: chunks first, largest tables first; then what follows the data of a table (its indexes) as soon as
/// all of it is there; then the later stages, one after the other. Holds no lock and no clock.
package struct WorkQueue<Step: Sendable>: Sendable {
    package struct ChunkTask: Sendable, Equatable {
        /// Position of the table in the run.
        package var table: Int
        package var chunk: Chunk

        package init(table: Int, chunk: Chunk) {
            self.table = table
            self.chunk = chunk
        }
    }

    package enum Work: Sendable {
        case chunk(ChunkTask)
        case step(Step)
        /// Others are at work whose end may bring more.
        case wait
        case finished
    }

    private var chunks: ArraySlice<ChunkTask>
    /// By target table: chunks that are not done, and the steps that wait for them.
    private var unfinished: [QualifiedName: Int]
    private var waitingSteps: [QualifiedName: [Step]]
    private var readySteps: ArraySlice<Step> = []
    private var stages: ArraySlice<[Step]>
    private var running = 0
    private let targets: [QualifiedName]

    /// - Parameters:
    ///   - chunks: in the order of work.
    ///   - targets: by position of the table.
    ///   - steps: what follows the data of a target table.
    package init(
        _ chunks: [ChunkTask], targets: [QualifiedName], steps: [QualifiedName: [Step]], stages: [[Step]]
    ) {
        self.chunks = chunks[...]
        self.targets = targets
        self.stages = stages[...]
        unfinished = Dictionary(chunks.map { (targets[$0.table], 1) }, uniquingKeysWith: +)
        waitingSteps = steps
        for (target, steps) in steps where unfinished[target] == nil {
            readySteps += steps
            waitingSteps[target] = nil
        }
    }

    package mutating func next() -> Work {
        if let chunk = chunks.popFirst() { return start(.chunk(chunk)) }
        if let step = readySteps.popFirst() { return start(.step(step)) }
        guard running == 0 else { return .wait }
        while let stage = stages.popFirst() {
            readySteps = stage[...]
            if let step = readySteps.popFirst() { return start(.step(step)) }
        }
        return .finished
    }

    /// A chunk is in the target. True if its table is complete now.
    @discardableResult
    package mutating func finished(_ task: ChunkTask) -> Bool {
        running -= 1
        let target = targets[task.table]
        unfinished[target, default: 1] -= 1
        guard unfinished[target] == 0 else { return false }
        readySteps += waitingSteps.removeValue(forKey: target) ?? []
        return true
    }

    package mutating func finishedStep() { running -= 1 }

    private mutating func start(_ work: Work) -> Work {
        running += 1
        return work
    }
}
