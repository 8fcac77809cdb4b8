import Foundation
import Sandbox
import TestSupport
import Testing

/// What a run shows over HTTP, and on its own socket.
@Suite(.onServer) struct RunServerTests {
    private static let curl = "/usr/bin/curl"

    private struct Answer {
        var status: Int
        var headers: String
        var body: String
    }

    private func program() throws -> StreamProgram {
        let program = try StreamProgram(
            #"["public.t"] = function(row) seen:inc(1) return row end"#,
            before: #"local seen = rh.metric.counter("seen_rows", { help = "Rows seen." })"#)
        try program.run(onSource: "create table t (id int primary key, v text); insert into t values (1, 'a')")
        return program
    }

    /// A run that listens, with a directory for sockets of its own.
    private func started(
        _ program: StreamProgram, _ options: String...
    ) async throws -> (process: ConsoleProcess, address: String, directory: String) {
        let directory = try TestWorkspace.shared().makeDirectory("runtime")
        let process = try ConsoleProcess(
            ["run", "--listen", "127.0.0.1:0"] + options + [program.path], environment: ["XDG_RUNTIME_DIR": directory])
        try #require(await eventually { process.errors.contains("following changes") }, "\(process.errors)")
        let address = try #require(process.errors.firstMatch(of: /listening on (http:\S+)\//)?.1)
        return (process, String(address), directory)
    }

    private func ask(_ url: String, _ options: String...) async throws -> Answer {
        let result = try await ConsoleProcess(["-s", "-i"] + options + [url], of: Self.curl).finished()
        let parts = result.output.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let status = parts[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return Answer(status: status ?? 0, headers: String(parts[0]), body: parts.count > 1 ? String(parts[1]) : "")
    }

    @Test func answersWhatIsAskedFor() async throws {
        let program = try program()
        let (process, address, _) = try await started(program)
        try program.run(onSource: "insert into t values (2, 'b'); update t set v = 'c'")
        #expect(await eventually { (try? program.answer("select count(*) from t where v = 'c'")) == "2" })

        let metrics = try await ask(address + "/metrics")
        #expect(metrics.status == 200)
        #expect(metrics.headers.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8"))
        #expect(metrics.body.contains(#"replhost_stream_changes_total{pipeline="stream"} 3"#))
        #expect(
            metrics.body.contains(
                #"replhost_table_changes_total{pipeline="stream",table="public.t",operation="update"} 2"#))
        #expect(
            metrics.body.contains(
                "# HELP seen_rows_total Rows seen.\n# TYPE seen_rows_total counter\nseen_rows_total 4"))
        let status = try await ask(address + "/status.json")
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(status.body.utf8)) as? [String: Any])
        #expect(document["pid"] as? Int == Int(process.pid))
        #expect(document["ready"] as? Bool == true)
        #expect(try await ask(address + "/healthz").body == "ok\n")
        #expect(try await ask(address + "/readyz?x=1").status == 200)
        #expect(try await ask(address + "/metrics", "-I").body.isEmpty)
        #expect(try await ask(address + "/nothing").status == 404)
        let post = try await ask(address + "/metrics", "-X", "POST", "-d", "x")
        #expect(post.status == 405)
        #expect(post.headers.contains("Allow: GET, HEAD"))
        #expect(try await ask(address + "/metrics", "-H", "Host: evil.example").status == 403)
        #expect(try await ask(address + "/", "-H", "Host: localhost").headers.contains("default-src 'none'"))

        process.signal(SIGINT)
        #expect(try await process.finished().status == 130)
    }

    @Test func withATokenAllButItsHealthIsSecret() async throws {
        let program = try program()
        let file = try ConsoleProcess.makeFile("token", "  s3cret\n")
        chmod(file, 0o600)
        let (process, address, _) = try await started(program, "--token-file", file)
        defer { process.signal(SIGKILL) }

        #expect(try await ask(address + "/healthz").status == 200)
        let refused = try await ask(address + "/status.json")
        #expect(refused.status == 401)
        #expect(refused.headers.contains("WWW-Authenticate: Basic"))
        #expect(!refused.body.contains("pipelines"))
        #expect(try await ask(address + "/metrics", "-H", "Authorization: Bearer wrong").status == 401)
        #expect(try await ask(address + "/metrics", "-H", "Authorization: Bearer s3cret").status == 200)
        #expect(try await ask(address + "/metrics", "-u", "me:s3cret").status == 200)
    }

    @Test func whatItCannotServeItSaysBeforeItBegins() async throws {
        let program = try program()
        let (process, address, _) = try await started(program)
        defer { process.signal(SIGKILL) }
        let port = try #require(address.split(separator: ":").last)
        let open = try ConsoleProcess.makeFile("token", "secret")
        chmod(open, 0o644)
        let empty = try ConsoleProcess.makeFile("token", "\n")
        chmod(empty, 0o600)

        func errors(_ arguments: String...) async throws -> String {
            let result = try await ConsoleProcess(["run"] + arguments + [program.path]).finished()
            return "\(result.status) \(result.errors)"
        }
        #expect(
            try await errors("--listen", "127.0.0.1:\(port)").hasPrefix("1 error[RH0111]: cannot listen on 127.0.0.1"))
        #expect(try await errors("--listen", "0.0.0.0:0").hasPrefix("2 "))
        #expect(try await errors("--listen", "0.0.0.0:0").contains("needs --token-file FILE"))
        #expect(try await errors("--listen", "nonsense").hasPrefix("2 "))
        #expect(try await errors("--token-file", open).hasPrefix("2 "))
        #expect(try await errors("--listen", ":0", "--token-file", open).contains("RH0112]: others may read"))
        #expect(try await errors("--listen", ":0", "--token-file", empty).contains("does not hold one word"))
        #expect(try await errors("--listen", ":0", "--token-file", "/no/file").contains("cannot read the token file"))
        let script = try await ConsoleProcess.run("run", "--listen", ":0", "-e", "return 1")
        #expect(script.status == 1)
        #expect(script.errors.contains("RH0113"))
    }

    @Test func theSocketIsForItsUserAloneAndGoesWithTheRun() async throws {
        let (process, _, directory) = try await started(try program())
        let socket = "\(directory)/replhost/\(process.pid).sock"

        var facts = stat()
        #expect(stat(socket, &facts) == 0)
        #expect(facts.st_mode & 0o777 == 0o600)
        #expect(stat("\(directory)/replhost", &facts) == 0)
        #expect(facts.st_mode & 0o777 == 0o700)
        #expect(try await ask("http://x/healthz", "--unix-socket", socket).body == "ok\n")

        process.signal(SIGTERM)
        #expect(try await process.finished().status == 130)
        #expect(access(socket, F_OK) != 0)
    }

    @Test func aSocketOfAKilledRunIsTakenAway() async throws {
        let program = try program()
        let (process, _, directory) = try await started(program)
        process.signal(SIGKILL)
        _ = try await process.finished()
        let socket = "\(directory)/replhost/\(process.pid).sock"
        #expect(access(socket, F_OK) == 0)

        let top = try await ConsoleProcess.run("top", environment: ["XDG_RUNTIME_DIR": directory])

        #expect(top.status == 1)
        #expect(top.errors.contains("RH0121]: nothing runs"))
        #expect(access(socket, F_OK) != 0)
    }

    @Test func aDirectoryWithALongNameIsNoHindrance() async throws {
        let directory = try TestWorkspace.shared().makeDirectory("runtime") + "/" + String(repeating: "x", count: 100)
        try FileTree.makeDirectories(directory, mode: 0o700)
        let program = try program()
        let process = try ConsoleProcess(
            ["run", program.path], environment: ["XDG_RUNTIME_DIR": directory, "XDG_STATE_HOME": directory])
        try #require(await eventually { process.errors.contains("following changes") }, "\(process.errors)")

        let top = try await ConsoleProcess.run(
            "top", "\(process.pid)", "-n", "0.1",
            environment: ["XDG_RUNTIME_DIR": directory, "XDG_STATE_HOME": directory])

        #expect(top.output.contains("stream: streaming"), "\(top.errors)")
    }
}
