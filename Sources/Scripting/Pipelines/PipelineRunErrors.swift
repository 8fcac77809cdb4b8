import Crypto
import LuaRuntime
import Postgres
import PostgresProtocol
import Replication

extension FailureReport {
    /// - Parameter showsValues: whether it may show what stands in rows.
    init(_ error: ReplicationError, showsValues: Bool) {
        switch error {
        case .database(let side, let cause, let doing):
            self.init(LuaFailure(error: ScriptError(cause)), showsValues: showsValues)
            message = "\(doing): \(side): \(message)"
        case .pool(let side, let cause):
            self.init(ScriptError(cause))
            message = "\(side): \(message)"
            // A command does not wait for the pool to recover.
            if case .unavailable = cause { hint = "Check its connection string, and whether the server runs." }
        case .transform(let failure): self.init(failure, showsValues: showsValues)
        case .mismatch(let code, let message, let hint): self.init(code: code, message, hint: hint)
        case .unknownTable(let name, let side, let known):
            let near = Suggestion.nearest(to: name.description, among: known.map(\.description))
            self.init(
                code: "RH2105",
                "there is no table \(name) in the \(side)" + (near.map { ", did you mean \($0)?" } ?? ""),
                hint: side == .target
                    ? "Tables that only functions name (rh.to, batch:emit) are not made by replhost: create it." : nil)
        case .unknownColumn(let name, let table, let side, let known):
            let near = Suggestion.nearest(to: name, among: known)
            self.init(
                code: "RH2104",
                "no column \"\(name)\" in \(table) of the \(side)" + (near.map { ", did you mean \"\($0)\"?" } ?? ""),
                hint: "Its columns are \(known.joined(separator: ", ")).")
        case .damaged(let cause, let table): self.init(code: "RH2210", "\(table): \(cause)")
        case .stale:
            self.init(
                code: "RH3314", error.description,
                hint: "Run the command again, at a time when nobody rewrites the table.")
        case .cancelled: self.init(code: "RH1202", "interrupted")
        }
    }

    private init(_ failure: TransformFailure, showsValues: Bool) {
        let names = failure.key.map(\.column)
        let values = failure.key.map { $0.value ?? "NULL" }
        var row = failure.subject ?? "row of \(failure.table)"
        if !names.isEmpty {
            row += " with key (\(names.joined(separator: ", ")))"
            if showsValues { row += " = (\(values.joined(separator: ", ")))" }
        }
        let details = [row, failure.details].compactMap(\.self).joined(separator: "\n")
        self.init(
            code: failure.code, failure.message, details: details,
            hint: failure.hint ?? (showsValues || names.isEmpty ? nil : "--show-values shows which row it was."),
            place: failure.position.flatMap(SourcePlace.init), calls: Traceback.scriptCalls(in: failure.traceback))
    }
}

extension ScriptSource {
    /// SHA-256 of the text, in hexadecimal.
    var hash: String {
        get throws(ScriptError) {
            let text: String
            switch self {
            case .file(let path): text = try ScriptText.read(path)
            case .text(let given, _): text = given
            }
            return String(decoding: Hexadecimal.encode(Array(SHA256.hash(data: Array(text.utf8)))), as: UTF8.self)
        }
    }
}
