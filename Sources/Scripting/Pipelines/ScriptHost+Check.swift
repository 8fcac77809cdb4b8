import EventLoops
import LuaRuntime
import PostgresProtocol
import Replication

extension ScriptHost {
    /// What a run would stumble over, found out without changing anything.
    package func check() async -> PipelineOutcome<[CheckFinding]> {
        let names = await nameFindings()
        return await together { [self] actor, pipeline, coordinator in
            await step(actor) { _ throws(ReplicationError) in
                let notes = try await CheckRun(pipeline.definition, coordinator).run()
                return notes.map { CheckFinding($0, pipeline.definition.name, report) }
            }
        }.map { names + $0.flatMap(\.self) }
    }

    private func nameFindings() async -> [CheckFinding] {
        await actor.run { [self] _ in
            guard let worker, let source else { return [] }
            do throws(ScriptError) { return try GlobalNames(worker.state).findings(in: source) } catch {
                return [CheckFinding(.error, pipeline: nil, FailureReport(error))]
            }
        }
    }
}

extension CheckFinding {
    init(_ note: CheckNote, _ pipeline: String, _ report: (ReplicationError) -> FailureReport) {
        switch note {
        case .failure(let error), .rowFailure(let error): self.init(.error, pipeline: pipeline, report(error))
        case .notEmpty, .noSelectRight, .noInsertRight, .noCreateRight, .unfilledColumn, .uniquenessLost, .oldServer,
            .keyNotSent, .noFreeSlot:
            self.init(.error, pipeline: pipeline, FailureReport(note))
        case .unusedPattern, .noKey, .typeChange, .triggersFire, .leftOut, .fewConnections, .fewApplying, .insertsOnly:
            self.init(.warning, pipeline: pipeline, FailureReport(note))
        }
    }
}

extension FailureReport {
    /// Of a note that is no error of its own.
    fileprivate init(_ note: CheckNote) {
        switch note {
        case .failure, .rowFailure: self.init("failed")
        case .unusedPattern(let pattern):
            self.init(code: "RH3501", "no table of the source matches \"\(pattern)\"", hint: "Take it out, or mend it.")
        case .noKey(let table, let isLarge):
            self.init(
                code: "RH3502", "\(table) has no key",
                hint: isLarge
                    ? "A copy that was killed begins this table anew. A primary key lets it go on."
                    : "Its rows cannot be merged, and verify compares them as a whole.")
        case .notEmpty(let table):
            self.init(
                code: "RH3309", "\(table) in the target is not empty",
                hint:
                    "Empty it, or say with on_conflict = \"upsert\" or \"skip\" what becomes of rows with the same key."
            )
        case .insertsOnly(let table):
            self.init(
                code: "RH3515", "\(table) has no replica identity: only its inserts are followed",
                hint: "Give it a primary key, or ALTER TABLE \(table.sql) REPLICA IDENTITY FULL on the source.")
        case .keyNotSent(let table, let columns):
            self.init(
                code: "RH3516",
                "changes of \(table) come without \(columns.joined(separator: ", ")), the target's key",
                hint: "ALTER TABLE \(table.sql) REPLICA IDENTITY FULL on the source, or name another key with \"key\".")
        case .noFreeSlot(let used, let most):
            self.init(
                code: "RH3517", "the source has no free replication slot: \(used) of \(most) are in use",
                hint: "Drop one that nobody needs, or raise max_replication_slots and restart that server.")
        case .noSelectRight(let table):
            self.init(
                code: "RH3503", "the source's user may not read \(table)", hint: "GRANT SELECT ON \(table.sql) TO …;")
        case .noInsertRight(let table):
            self.init(
                code: "RH3504", "the target's user may not write \(table)",
                hint: "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON \(table.sql) TO …;")
        case .noCreateRight(let schema):
            self.init(
                code: "RH3505", "the target's user may not make tables in schema \"\(schema)\"",
                hint:
                    "GRANT CREATE ON SCHEMA (or, for a new schema, ON DATABASE) to the user, or make the tables yourself."
            )
        case .unfilledColumn(let column, let table):
            self.init(
                code: "RH3506", "column \"\(column)\" of \(table) is NOT NULL and gets no value",
                hint: "Give it a default, or set it in a transform.")
        case .typeChange(let column, let table, let from, let to):
            self.init(
                code: "RH3507", "column \"\(column)\" of \(table) is \(to), in the source \(from)",
                hint: "Values go over as text, and the target judges them.")
        case .uniquenessLost(let column, let table, let examples):
            self.init(
                code: "RH3508", "column \"\(column)\", the key of \(table), does not stay unique",
                details: "\(examples) of the sampled rows have the key of another one after the transform",
                hint: "Use a mask that keeps values distinct (rh.mask.unique tells which do).")
        case .oldServer(let side, let version):
            self.init(
                code: "RH3509", "the \(side) is PostgreSQL \(version / 10000)",
                hint: "replhost works with 14 and newer.")
        case .triggersFire(let table):
            self.init(
                code: "RH3510", "triggers and foreign keys of \(table) will fire for each row",
                hint: "GRANT SET ON PARAMETER session_replication_role TO the target's user turns them off.")
        case .leftOut(let text): self.init(code: "RH3511", text)
        case .fewConnections(let side, let max, let workers):
            self.init(
                code: "RH3512", "the \(side)'s pool has at most \(max) connections for \(workers) workers",
                hint: "Each worker needs one, and one more coordinates: raise \"max\".")
        case .fewApplying(let max, let connections):
            self.init(
                code: "RH3512",
                "the target's pool has at most \(max) connections for \(connections) that write changes",
                hint: "Two more coordinate and look up: raise \"max\", or lower \"connections\" of \"apply\".")
        }
    }
}
