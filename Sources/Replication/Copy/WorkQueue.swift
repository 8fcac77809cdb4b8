package import PostgresProtocol

/// Who does what next: chunks first, largest tables first; then what follows the data of a table (its indexes) as soon as
/// all of it is there; then the later stages, one after the other. Of the steps that can be done, the largest is the
/// first: what is left for the end keeps few waiting. Holds no lock and no clock.
package struct WorkQueue<Step: SizedStep>: Sendable {
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
        /// `isAlone`: there is no other work beside it that could keep the servers busy.
        case step(Step, isAlone: Bool)
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
    private let workers: Int

    /// - Parameters:
    ///   - chunks: in the order of work.
    ///   - targets: by position of the table.
    ///   - steps: what follows the data of a target table.
    ///   - workers: how many ask for work.
    package init(
        _ chunks: [ChunkTask], targets: [QualifiedName], steps: [QualifiedName: [Step]], stages: [[Step]], workers: Int
    ) {
        self.chunks = chunks[...]
        self.targets = targets
        self.workers = workers
        self.stages = stages[...]
        unfinished = Dictionary(chunks.map { (targets[$0.table], 1) }, uniquingKeysWith: +)
        waitingSteps = steps
        var ready: [Step] = []
        for target in steps.keys.sorted() where unfinished[target] == nil {
            ready += waitingSteps.removeValue(forKey: target) ?? []
        }
        add(ready)
    }

    package mutating func next() -> Work {
        if let chunk = chunks.popFirst() {
            running += 1
            return .chunk(chunk)
        }
        if running == 0 { while readySteps.isEmpty, let stage = stages.popFirst() { add(stage) } }
        guard let step = readySteps.popFirst() else { return running == 0 ? .finished : .wait }
        defer { running += 1 }
        return .step(step, isAlone: workers == 1 || (running == 0 && readySteps.isEmpty))
    }

    /// A chunk is in the target. True if its table is complete now.
    @discardableResult
    package mutating func finished(_ task: ChunkTask) -> Bool {
        running -= 1
        let target = targets[task.table]
        unfinished[target, default: 1] -= 1
        guard unfinished[target] == 0 else { return false }
        add(waitingSteps.removeValue(forKey: target) ?? [])
        return true
    }

    package mutating func finishedStep() { running -= 1 }

    /// Steps of the same size stay in their order.
    private mutating func add(_ steps: [Step]) {
        readySteps = (readySteps + steps).sorted { $0.size > $1.size }[...]
    }
}

/// Work on an object whose size in the source says how long it may take.
package protocol SizedStep: Sendable {
    /// In bytes, 0 if it is soon done.
    var size: Int { get }
}
