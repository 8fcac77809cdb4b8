import Testing

@testable import Sandbox

struct SocketDirectoryTests {
    @Test func socketsLiveBesideTheDataWhereThePathIsShort() throws {
        let account = try ServerAccount.current()

        #expect(SocketDirectory.path(in: "/state/shop", for: account) == "/state/shop/socket")
    }

    @Test(arguments: 60..<200)
    func noSocketPathIsTooLongForTheSystem(_ length: Int) throws {
        let directory = "/" + String(repeating: "d", count: length)
        let path = SocketDirectory.path(in: directory, for: try ServerAccount.current())

        #expect((path + "/.s.PGSQL.65535").utf8.count <= 107)
    }

    @Test func longPathsOfDifferentServersDiffer() throws {
        let account = try ServerAccount.current()
        let long = "/" + String(repeating: "d", count: 120)

        let paths = ["/a", "/b"].map { SocketDirectory.path(in: long + $0, for: account) }

        #expect(paths[0] != paths[1])
    }
}
