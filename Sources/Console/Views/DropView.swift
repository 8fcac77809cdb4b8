import PostgresProtocol
import Scripting

/// What `drop` has removed.
struct DropView: ReportView {
    var removed: [String]

    var json: String { JSONText.object([("removed", JSONText.strings(removed))]) }

    func text(_ palette: Palette) -> String {
        guard !removed.isEmpty else { return "There is nothing to remove.\n" }
        return removed.map { "removed \(TerminalText.escaped($0))\n" }.joined()
    }
}
