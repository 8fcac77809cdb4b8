import Glibc
import LuaRuntime
import Testing

@Suite struct SandboxLevelsTests {
    private func run(
        _ script: String, in directory: String = "/nonexistent", _ permissions: Permissions = [], isStrict: Bool = false
    ) async throws -> ScriptOutcome {
        try await ScriptRunner.run(script) {
            $0.directory = directory
            $0.permissions = permissions
            $0.isStrict = isStrict
        }
    }

    @Test(arguments: [
        "io.popen", "os.execute", "os.exit", "os.setlocale", "os.tmpname", "package.loadlib", "debug.sethook",
        "debug.getregistry", "debug.setmetatable", "debug.setupvalue", "debug.getlocal",
    ])
    func byDefaultAScriptHasNo(name: String) async throws {
        let outcome = try await run("assert(\(name) == nil) assert(package.cpath == '' and #package.searchers == 2)")

        #expect(outcome.failure == nil)
    }

    @Test(arguments: [("io.popen", Permissions.os), ("os.execute", .os), ("os.exit", .os), ("debug.sethook", .debug)])
    func permissionsBring(name: String, permission: Permissions) async throws {
        let outcome = try await run("assert(\(name))", permission)

        #expect(outcome.failure == nil)
    }

    @Test func strictScriptsHaveNoFilesAtAll() async throws {
        let outcome = try await run(
            "assert(not io and not os and not dofile and not loadfile and not pcall(require, 'io')) assert(string.rep)",
            isStrict: true)

        #expect(outcome.failure == nil)
    }

    @Test(arguments: [
        "assert(not load(string.dump(function() end)))", "assert(not load(string.dump(function() end), 'x', 'b'))",
        "assert(not load(string.dump(function() end), 'x', 'bt'))",
        "local n = 0 assert(not load(function() n = n + 1 return n == 1 and string.dump(print_nothing) or nil end))",
        "assert(select(2, load('x = ', 'c')):find('syntax error') or true) assert(load('return 1')() == 1)",
        "assert(load('return x', 'c', 't', {x = 7})() == 7)",
        "local ok, e = load('return 1', 'c', 'b') assert(not ok and e:find('attempt to load a text chunk'), e)",
    ])
    func onlyTextIsLoaded(script: String) async throws {
        let outcome = try await run("print_nothing = function() end " + script)

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
    }

    @Test func compiledFilesAreRefusedUnlessAllowed() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let write = """
            local f = assert(io.open("\(folder.path)/compiled.lua", "wb")) f:write(string.dump(function() return 7 end)) f:close()
            """
        let refused = try await run(
            """
            \(write)
            local file = "\(folder.path)/compiled.lua"
            local f, e = loadfile(file) assert(not f and e:find("binary"), e)
            assert(not loadfile(file, "b") and not loadfile(file, "bt"))
            assert(not pcall(dofile, file))
            local ok, e = pcall(require, "compiled") assert(not ok and e:find("binary"), e)
            """, in: folder.path)
        let allowed = try await run(
            """
            local file = "\(folder.path)/compiled.lua"
            assert(loadfile(file)() == 7 and dofile(file) == 7 and require "compiled" == 7)
            assert(load(string.dump(function() return 8 end))() == 8)
            """, in: folder.path, .bytecode)

        #expect(refused.failure == nil, "\(refused.message ?? "")")
        #expect(allowed.failure == nil, "\(allowed.message ?? "")")
    }

    private static let attempts: [String] = [
        "io.open('PATH')", "io.open('PATH', 'w')", "io.lines('PATH')", "io.input('PATH')", "io.output('PATH')",
        "os.remove('PATH')", "os.rename('PATH', 'inside')", "os.rename('inside', 'PATH')", "dofile('PATH')",
        "loadfile('PATH')",
    ]

    @Test(
        arguments: attempts,
        ["/etc/passwd", "../secret", "sub/../../secret", "link/secret", "dangling", "../new", "up"])
    func filesOutsideOfTheDirectoryAreOutOfReach(attempt: String, path: String) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let script = attempt.replacing("PATH", with: path.hasPrefix("/") ? path : "\(folder.path)/\(path)")
            .replacing("'inside'", with: "'\(folder.path)/inside'")
        let outcome = try await run("local ok, e = pcall(function() return \(script) end) error(e, 0)", in: folder.path)

        #expect(outcome.message?.contains("is outside the script's directory") == true, "\(outcome.message ?? "")")
        #expect(access("\(folder.parent)/secret", F_OK) == 0)
        #expect(access("\(folder.parent)/new", F_OK) != 0)
    }

    @Test func filesInsideOfTheDirectoryAreItsOwn() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let outcome = try await run(
            """
            local D = "\(folder.path)"
            local f = assert(io.open(D .. "/sub/new.txt", "w")) f:write("one\\ntwo\\n") f:close()
            local n = 0 for line in io.lines(D .. "/sub/../sub/new.txt") do n = n + 1 end assert(n == 2)
            assert(os.rename(D .. "/sub/new.txt", D .. "/moved.txt") and os.remove(D .. "/moved.txt"))
            local f, e = io.open(D .. "/missing.txt") assert(not f and e:find("No such file"))
            f, e = io.open(D .. "/missing/dir/file") assert(not f and e:find("No such file"))
            assert(not pcall(io.open, "/etc/hostname") and io.open(D .. "/inside"):read("a") == "")
            local f = io.open(D .. "/m.lua", "w") f:write("return ...") f:close()
            assert(loadfile(D .. "/m.lua")(5) == 5 and require "m" == "m")
            """, in: folder.link)

        #expect(outcome.failure == nil, "\(outcome.message ?? "")")
    }
}

/// …/dir with files, a link beside it, a secret above it, and links that lead out; the tests run in it.
private struct TemporaryFolder {
    let parent: String
    var path: String { "\(parent)/dir" }
    var link: String { "\(parent)/alias" }

    init() throws {
        var template = Array("/tmp/border-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        parent = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        mkdir("\(parent)/dir", 0o700)
        mkdir("\(parent)/dir/sub", 0o700)
        for file in ["secret", "dir/inside"] { close(creat("\(parent)/\(file)", 0o600)) }
        symlink("..", "\(parent)/dir/link")
        symlink("../secret", "\(parent)/dir/up")
        symlink("../new", "\(parent)/dir/dangling")
        symlink("dir", "\(parent)/alias")
    }

    func remove() {
        for file in ["m.lua", "compiled.lua", "inside", "link", "up", "dangling", "sub/new.txt"] {
            unlink("\(parent)/dir/\(file)")
        }
        for file in ["secret", "alias"] { unlink("\(parent)/\(file)") }
        rmdir("\(parent)/dir/sub")
        rmdir("\(parent)/dir")
        rmdir(parent)
    }
}
