import Glibc
import Testing

@testable import Sandbox

/// Works in a directory of its own, which goes with it.
final class FileTreeTests {
    private let directory: String

    init() throws {
        var template = Array("/tmp/replhost-files-XXXXXX".utf8CString)
        _ = try #require(mkdtemp(&template))
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? FileTree.remove(directory)
    }

    @Test func appendsAndReadsBack() throws {
        try FileTree.append("one\n", to: directory + "/f")
        try FileTree.append("two\n", to: directory + "/f")

        #expect(FileTree.read(directory + "/f") == "one\ntwo\n")
        #expect(FileTree.read(directory + "/missing") == nil)
    }

    @Test func removesATreeButNotWhatItsLinksPointTo() throws {
        try FileTree.makeDirectories(directory + "/kept", mode: 0o700)
        try FileTree.append("x", to: directory + "/kept/f")
        try FileTree.makeDirectories(directory + "/tree/a/b", mode: 0o700)
        try FileTree.append("x", to: directory + "/tree/a/f")
        symlink(directory + "/kept", directory + "/tree/a/link")

        try FileTree.remove(directory + "/tree")

        #expect(FileTree.names(in: directory) == ["kept"])
        #expect(FileTree.read(directory + "/kept/f") == "x")
    }

    @Test func refusesAPrivateDirectoryThatOthersCanEnter() throws {
        let path = directory + "/open"
        mkdir(path, 0o700)
        chmod(path, 0o755)

        #expect(throws: SandboxError.unsafeDirectory(path: path)) {
            try FileTree.makePrivateDirectory(path, for: ServerAccount.current())
        }
    }

    @Test func countsBytesOnDisk() throws {
        try FileTree.append(String(repeating: "x", count: 100_000), to: directory + "/f")

        #expect(FileTree.size(of: directory) >= 100_000)
        #expect(FileTree.size(of: directory + "/missing") == 0)
    }
}
