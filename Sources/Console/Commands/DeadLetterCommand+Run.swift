import Scripting

extension DeadLetterSelection {
    fileprivate init(table: String? = nil, ids: [Int] = [], limit: Int? = nil) {
        self.init()
        self.table = table
        self.ids = ids
        self.limit = limit
    }
}

extension DeadLetterCommand.List {
    func perform(on session: PipelineSession) async -> Int32 {
        let selection = DeadLetterSelection(table: table, limit: limit)
        return session.show(await session.host.deadLetters(selection)) { letters in
            session.done(DeadLetterList(letters: letters, showsValues: pipelines.showValues))
        }
    }
}

extension DeadLetterCommand.Show {
    func perform(on session: PipelineSession) async -> Int32 {
        session.show(await session.host.deadLetters(DeadLetterSelection(ids: [id]))) { letters in
            guard let letter = letters.first else { return session.failWithoutLetter(id) }
            return session.done(DeadLetterView(letter: letter, reporter: session.reporter))
        }
    }
}

extension DeadLetterCommand.Retry {
    func perform(on session: PipelineSession) async -> Int32 {
        let selection = DeadLetterSelection(table: table, ids: ids)
        if let code = await session.refusal(ofMissing: selection) { return code }
        return session.show(await session.host.retryDeadLetters(selection)) { report in
            session.write(RetryView(report: report))
            return report.failed == 0 ? ExitCode.done : ExitCode.failed
        }
    }
}

extension DeadLetterCommand.Purge {
    func perform(on session: PipelineSession) async -> Int32 {
        let selection = DeadLetterSelection(table: table, ids: ids)
        if let code = await session.refusal(ofMissing: selection) { return code }
        guard ids.isEmpty, !yes else { return await purge(selection, session) }
        return await session.show(await session.host.deadLetters(selection)) { letters in
            guard !letters.isEmpty else { return session.done(PurgeView(count: 0)) }
            Terminal.writeError("This deletes \(Figures.count(letters.count, "dead letter")).\n")
            if let code = await session.refusal() { return code }
            return await purge(selection, session)
        }
    }

    private func purge(_ selection: DeadLetterSelection, _ session: PipelineSession) async -> Int32 {
        session.show(await session.host.purgeDeadLetters(selection)) { session.done(PurgeView(count: $0)) }
    }
}

extension PipelineSession {
    fileprivate func failWithoutLetter(_ id: Int) -> Int32 {
        let report = FailureReport(
            code: "RH3481", "there is no dead letter \(id)",
            hint: "\"replhost dlq list \(path)\" shows those that are there.")
        return reporter.fail([report])
    }

    /// The exit code if one that was named by its number is not there: nothing is done then.
    fileprivate func refusal(ofMissing selection: DeadLetterSelection) async -> Int32? {
        guard !selection.ids.isEmpty else { return nil }
        let code = show(await host.deadLetters(selection)) { letters in
            let there = Set(letters.map(\.id))
            let missing = selection.ids.first { !there.contains($0) }
            return missing.map(failWithoutLetter) ?? ExitCode.done
        }
        return code == ExitCode.done ? nil : code
    }
}
