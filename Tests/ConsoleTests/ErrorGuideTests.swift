import ArgumentParser
import Foundation
import Testing

@testable import Console

@Suite struct ErrorGuideTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    /// The codes that the program's own texts name, the table left out.
    private static func codesInUse() throws -> Set<String> {
        var codes: Set<String> = []
        for folder in ["Sources", "stdlib"] {
            let path = "\(root)/\(folder)"
            let files = try #require(FileManager.default.enumerator(atPath: path))
            for case let file as String in files where isSource(file) {
                let text = try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
                codes.formUnion(text.matches(of: /\bRH[0-9]{4}\b/).map { String($0.output) })
            }
        }
        return codes
    }

    private static func isSource(_ file: String) -> Bool {
        let endings = [".swift", ".c", ".h", ".lua"]
        return endings.contains { file.hasSuffix($0) } && !file.contains("/ErrorGuide")
            && !file.contains("ExplainCommand")
    }

    @Test func explainsExactlyTheCodesInUse() throws {
        let used = try Self.codesInUse()
        let explained = ErrorGuide.all.map(\.code)

        #expect(used.count > 100)
        #expect(used.subtracting(explained).sorted() == [])
        #expect(Set(explained).subtracting(used).sorted() == [])
        #expect(explained.count == Set(explained).count)
    }

    @Test func theReadmeListsThem() throws {
        let readme = try String(contentsOfFile: Self.root + "/README.md", encoding: .utf8)
        let list = readme.split(separator: "<!-- explain --all --markdown -->").dropFirst().first

        #expect(
            list.map { $0.trimmingCharacters(in: .newlines) + "\n" } == ErrorGuideView.markdown(ErrorGuide.all),
            "put what \"replhost explain --all --markdown\" prints between the two marks in README.md")
    }

    @Test(arguments: ["RH2104", "rh2104", "2104", "error[RH2104]", "error[RH2104]: no column", "[RH2104]"])
    func findsACodeAsPeopleWriteIt(_ text: String) {
        #expect(ErrorGuide.find(text)?.code == "RH2104")
    }

    @Test func suggestsANeighbourOfAnUnknownCode() {
        #expect(ErrorGuide.find("RH21O4") == nil)
        #expect(ErrorGuide.suggestion(for: "RH21O4") == "RH2104")
        #expect(ErrorGuide.suggestion(for: "nonsense") == nil)
        #expect(ErrorGuide.find("") == nil)
    }

    @Test func wrapsLinesUnderTheirText() {
        let guide = ErrorGuide("RH0000", "one two three four", "five six")

        #expect(ErrorGuideView.text([guide], width: 20) == "RH0000  one two\n        three four\n  help: five six\n")
        #expect(
            ErrorGuideView.json([guide])
                == #"[{"code": "RH0000", "meaning": "one two three four", "action": "five six"}]"# + "\n")
    }

    @Test(arguments: [["explain"], ["explain", "RH2104", "--all"], ["explain", "RH0000"]])
    func refusesWrongUsage(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try ReplhostCommand.parseAsRoot(arguments) }
    }
}
