@preconcurrency import Glibc
import Scripting

/// A run of this user that is under way. Its functions block.
struct RunningProcess: Sendable {
    let client: RunClient
    /// When it was found.
    let document: RunDocument

    /// Sockets of processes that are gone are removed.
    static func all() -> [RunningProcess] {
        RunSocket.all().compactMap { path in
            let client = RunClient(path: path)
            do throws(RunClient.Failure) {
                return RunDocument(try client.get("/status.json")).map { RunningProcess(client: client, document: $0) }
            } catch {
                if error == .isGone { unlink(path) }
                return nil
            }
        }
    }

    /// The one that is meant: by its script, the name of one of its pipelines, or its process id; without a name, the
    /// only one.
    static func find(_ name: String?) -> Result<RunningProcess, FailureReport> {
        let all = all()
        let found = name.map { name in all.filter { $0.answers(to: name) } } ?? all
        if found.count == 1 { return .success(found[0]) }
        let list = all.map { "  " + $0.title }.joined(separator: "\n")
        switch (name, all.isEmpty) {
        case (_, true):
            return .failure(
                FailureReport(
                    code: "RH0121", "nothing runs: no pipeline of this user is under way on this machine",
                    hint: "\"replhost status FILE\" tells how far one is that does not run."))
        case (let name?, false) where found.isEmpty:
            return .failure(FailureReport(code: "RH0121", "\"\(name)\" does not run", hint: "What runs:\n" + list))
        default:
            return .failure(
                FailureReport(code: "RH0122", "several runs are under way: name one of them", hint: list))
        }
    }

    /// The document as it is now; nil if the run has ended.
    func look() -> (json: String, document: RunDocument)? {
        guard let json = try? client.get("/status.json"), let document = RunDocument(json) else { return nil }
        return (json, document)
    }

    /// "4711 /home/ann/shop.lua (shop)".
    var title: String {
        let names = document.pipelines.map(\.name).joined(separator: ", ")
        return "\(document.pid) \(document.script ?? "-") (\(names))"
    }

    private func answers(to name: String) -> Bool {
        if Int(name) == document.pid || document.pipelines.contains(where: { $0.name == name }) { return true }
        guard let script = document.script, let path = realpath(name, nil) else { return false }
        defer { free(path) }
        return String(cString: path) == script
    }
}
