package import PostgresProtocol

/// Who does what next: chunks first, largest tables first; then steps, those of a table as soon as nothing that comes
/// before them there is left. Of the steps that can be done, and that nothing under way locks out, those of the earliest
/// stage come first, and of these the largest: what is left for the end keeps few waiting. Only the first stage begins
/// beside chunks: a function writes to other tables, too. Holds no lock and no clock.
package struct WorkQueue<Step: TableStep>: Sendable {
    package struct ChunkTask: Sendable, Equatable {
        /// Position of the table in the run.
        package var table: Int
        package var chunk: Chunk

        package init(table: Int, chunk: Chunk) {
            self.table = table
            self.chunk = chunk
        }
    }

    package struct StepTask: Sendable {
        package var step: Step
        fileprivate var stage: Int
    }

    package enum Work: Sendable {
        case chunk(ChunkTask)
        /// `isAlone`: there is no other work beside it that could keep the servers busy.
        case step(StepTask, isAlone: Bool)
        /// Others are at work whose end may bring more.
        case wait
        case finished
    }

    private enum Lock {
        case shared(Int)
        case exclusive
    }

    private var chunks: ArraySlice<ChunkTask>
    /// The last is to be the first.
    private var steps: [StepTask] = []
    /// By table: how many chunks are not done, and how many steps of each stage.
    private var unfinished: [QualifiedName: [Int]] = [:]
    /// What steps under way keep others from.
    private var locks: [QualifiedName: Lock] = [:]
    private var runningChunks = 0
    private var runningSteps = 0
    private let targets: [QualifiedName]
    private let workers: Int

    /// - Parameters:
    ///   - chunks: in the order of work.
    ///   - targets: by position of the table.
    ///   - stages: what follows the data of a table, in order; steps of a stage in any order or at the same time.
    ///   - workers: how many ask for work.
    package init(_ chunks: [ChunkTask], targets: [QualifiedName], stages: [[Step]], workers: Int) {
        self.chunks = chunks[...]
        self.targets = targets
        self.workers = workers
        let none = Array(repeating: 0, count: stages.count + 1)
        for task in chunks { unfinished[targets[task.table], default: none][0] += 1 }
        for (stage, steps) in stages.enumerated() {
            for step in steps {
                for table in step.tables { unfinished[table, default: none][stage + 1] += 1 }
            }
        }
        // Steps of the same size stay in their order.
        for (stage, steps) in stages.enumerated().reversed() {
            let inOrder = steps.sorted { $0.size > $1.size }
            self.steps += inOrder.reversed().map { StepTask(step: $0, stage: stage) }
        }
    }

    package mutating func next() -> Work {
        if let chunk = chunks.popFirst() {
            runningChunks += 1
            return .chunk(chunk)
        }
        let isIdle = runningChunks + runningSteps == 0
        guard let position = steps.lastIndex(where: canBegin) else { return isIdle ? .finished : .wait }
        let task = steps.remove(at: position)
        for table in task.step.tables { lock(table, for: task.step) }
        runningSteps += 1
        return .step(task, isAlone: workers == 1 || (isIdle && !steps.contains(where: canBegin)))
    }

    package mutating func finished(_ task: ChunkTask) {
        runningChunks -= 1
        unfinished[targets[task.table]]?[0] -= 1
    }

    package mutating func finished(_ task: StepTask) {
        runningSteps -= 1
        for table in task.step.tables {
            unfinished[table]?[task.stage + 1] -= 1
            if case .shared(let count) = locks[table], count > 1 {
                locks[table] = .shared(count - 1)
            } else {
                locks[table] = nil
            }
        }
    }

    private func canBegin(_ task: StepTask) -> Bool {
        guard task.stage == 0 || runningChunks == 0 else { return false }
        return task.step.tables.allSatisfy { table in
            let isNext = unfinished[table]?.prefix(task.stage + 1).allSatisfy { $0 == 0 } ?? true
            return isNext && mayLock(table, for: task.step)
        }
    }

    private func mayLock(_ table: QualifiedName, for step: Step) -> Bool {
        switch locks[table] {
        case nil: true
        case .shared: step.isShared
        case .exclusive: false
        }
    }

    private mutating func lock(_ table: QualifiedName, for step: Step) {
        switch locks[table] {
        case .shared(let count) where step.isShared: locks[table] = .shared(count + 1)
        default: locks[table] = step.isShared ? .shared(1) : .exclusive
        }
    }
}

/// Work on objects of tables that follows their data.
package protocol TableStep: Sendable {
    /// What it needs, looks at or changes.
    var tables: Set<QualifiedName> { get }
    /// The server lets others of this kind work on the same table at the same time.
    var isShared: Bool { get }
    /// In the source, in bytes; says how long it may take. 0 if it is soon done.
    var size: Int { get }
}
