import Testing

@testable import Sandbox

struct PostmasterFileTests {
    private let ready = "4242\n/data\n1700000000\n5432\n/socket\n\n  1234567    17\nready   \n"

    @Test func readsPidAndStatus() throws {
        let file = try #require(PostmasterFile(text: ready))

        #expect(file.pid == 4242)
        #expect(file.status == .ready)
    }

    @Test(arguments: ["starting", "stopping", "standby"])
    func knowsTheOtherStatuses(_ word: String) throws {
        let file = try #require(PostmasterFile(text: ready.replacing("ready   ", with: word)))

        let expected: [String: PostmasterFile.Status] = [
            "starting": .starting, "stopping": .stopping, "standby": .ready,
        ]
        #expect(file.status == expected[word])
    }

    @Test func everyTruncationIsReadAsFarAsItGoes() {
        for length in 0..<ready.count {
            let file = PostmasterFile(text: String(ready.prefix(length)))

            #expect(file == nil || file?.status != .stopping)
        }
    }

    @Test(arguments: ["", "\n", "abc\n", "-5\n", "0\n", "99999999999999\n"])
    func refusesWhatIsNoProcessID(_ text: String) {
        #expect(PostmasterFile(text: text) == nil)
    }
}
