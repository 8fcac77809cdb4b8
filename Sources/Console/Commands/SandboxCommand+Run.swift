import PostgresProtocol
import Sandbox
import Scripting

/// What the subcommands of `replhost sandbox` do.
protocol SandboxAction {
    /// What goes to standard output, with line breaks.
    func perform(_ servers: SandboxServers) throws(SandboxError) -> String
}

extension SandboxAction {
    /// Its exit code.
    func run() -> Int32 {
        do throws(SandboxError) {
            Terminal.write(try perform(try SandboxServers()))
            return ExitCode.done
        } catch {
            let report = FailureReport(code: "RH0201", error.description, hint: error.hint)
            Terminal.writeError(FailureReporter().text(report))
            return ExitCode.failed
        }
    }
}

extension SandboxCommand.List: SandboxAction {
    func perform(_ servers: SandboxServers) -> String {
        let all = servers.list()
        if json { return JSONText.array(all.map(Self.object)) + "\n" }
        guard !all.isEmpty else { return "There are no sandboxes yet: \"sandbox:NAME\" in a script makes one.\n" }
        let columns = [
            ResultTable.Column("name"), .init("state"), .init("pid", isNumeric: true),
            .init("size", isNumeric: true), .init("directory"),
        ]
        let rows = all.map { server in
            [server.name, server.stateName, server.pid.map(String.init) ?? "", server.sizeText, server.dataDirectory]
        }
        return ResultTable.render(columns: columns, rows: rows) + "\n"
    }

    private static func object(_ server: SandboxStatus) -> String {
        JSONText.object([
            ("name", JSONText.string(server.name)), ("state", JSONText.string(server.stateName)),
            ("pid", server.pid.map(String.init) ?? "null"), ("bytes", String(server.size)),
            ("directory", JSONText.string(server.dataDirectory)), ("socket", JSONText.string(server.socketPath)),
        ])
    }
}

extension SandboxCommand.Start: SandboxAction {
    func perform(_ servers: SandboxServers) throws(SandboxError) -> String {
        let dsn = try servers.connectionString(name)
        guard json else { return dsn + "\n" }
        return JSONText.object([("name", JSONText.string(name)), ("dsn", JSONText.string(dsn))]) + "\n"
    }
}

extension SandboxCommand.Stop: SandboxAction {
    func perform(_ servers: SandboxServers) throws(SandboxError) -> String {
        let stopped = try stop(servers)
        if json { return JSONText.object([("stopped", JSONText.strings(stopped))]) + "\n" }
        return stopped.isEmpty ? "nothing was running\n" : stopped.map { "stopped \($0)\n" }.joined()
    }

    private func stop(_ servers: SandboxServers) throws(SandboxError) -> [String] {
        if names.isEmpty { return try servers.stopAll() }
        var stopped: [String] = []
        for name in names where try servers.stop(name) { stopped.append(name) }
        return stopped
    }
}

extension SandboxCommand.Remove: SandboxAction {
    func perform(_ servers: SandboxServers) throws(SandboxError) -> String {
        for name in names { try servers.remove(name) }
        if json { return JSONText.object([("removed", JSONText.strings(names))]) + "\n" }
        return names.map { "removed \($0)\n" }.joined()
    }
}

extension SandboxStatus {
    fileprivate var stateName: String {
        switch state {
        case .absent: "empty"
        case .stopped: "stopped"
        case .busy: "busy"
        case .ready: "running"
        }
    }

    fileprivate var sizeText: String { "\((size + 1_048_575) / 1_048_576) MB" }
}
