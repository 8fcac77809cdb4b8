import Foundation
import Scripting
import Testing

@testable import Console

@Suite struct WrittenFileTests {
    private let directory: String

    init() throws {
        directory = NSTemporaryDirectory() + "/written-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func replacesWhatItHasWritten() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/types.lua"
        try WrittenFile(path).replace(with: "---@meta _\nlong")
        try WrittenFile(path).replace(with: "---@meta _\n")

        #expect(try text(path) == "---@meta _\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["types.lua"])
    }

    @Test func leavesWhatOthersHaveWritten() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/shop.lua"
        try "return 1".write(toFile: path, atomically: true, encoding: .utf8)

        let failure = #expect(throws: FailureReport.self) { try WrittenFile(path).replace(with: "---@meta _") }
        #expect(failure?.code == "RH3492")
        #expect(try text(path) == "return 1")
    }

    @Test func goesThroughALink() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (path, link) = (directory + "/types.lua", directory + "/link.lua")
        try WrittenFile(path).replace(with: "---@meta a")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        try WrittenFile(link).replace(with: "---@meta b")

        #expect(try text(path) == "---@meta b")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == path)
    }

    @Test func saysWhyAFileCannotBeWritten() {
        let failure = #expect(throws: FailureReport.self) { try WrittenFile("/nowhere/a").replace(with: "") }

        #expect(failure?.message == "cannot write \"/nowhere/a\": No such file or directory")
        try? FileManager.default.removeItem(atPath: directory)
    }
}
