import Testing

@testable import Console

@Suite struct LineEditorTests {
    /// The text after these keys, with "|" where the cursor is.
    private func text(_ start: String = "", _ keys: Key...) -> String {
        var editor = LineEditor()
        editor.begin(start)
        for key in keys { _ = editor.take(key) }
        return Self.marked(editor)
    }

    private static func marked(_ editor: LineEditor) -> String {
        let characters = editor.buffer.characters
        return String(characters[..<editor.buffer.cursor]) + "|" + String(characters[editor.buffer.cursor...])
    }

    @Test func movesAndDeletes() {
        #expect(text("", .text("ab"), .left, .text("x")) == "ax|b")
        #expect(text("one two", .wordLeft, .wordLeft, .wordRight) == "one| two")
        #expect(text("one two", .home, .delete, .end, .backspace) == "ne tw|")
        #expect(text("ab", .left, .endOfInput) == "a|")
        #expect(text("ab", .transpose) == "ba|")
    }

    @Test func cutsAndPastes() {
        #expect(text("one two", .killWordBefore, .home, .yank) == "two|one ")
        #expect(text("one.two", .killPartBefore) == "one.|")
        #expect(text("one two", .home, .killPartAfter, .yank, .yank) == "oneone| two")
        #expect(text("a\nbc", .left, .killToStart) == "a\n|c")
        #expect(text("a\nbc", .home, .killToStart) == "a|bc")
        #expect(text("ab\nc", .up, .home, .killToEnd, .killToEnd) == "|c")
        #expect(text("ab", .killToStart, .undo) == "ab|")
    }

    @Test func combiningMarksJoinTheirCharacter() {
        #expect(text("", .text("e"), .text("\u{301}"), .backspace) == "|")
        #expect(text("", .text("xe"), .text("\u{301}"), .left, .text("y")) == "xy|e\u{301}")
    }

    @Test func movesThroughLinesBeforeHistory() {
        var editor = LineEditor(history: StatementHistory(["first", "second\nline"]))
        editor.begin()
        _ = editor.take(.text("draft"))
        _ = editor.take(.up)
        #expect(editor.buffer.text == "second\nline")
        _ = editor.take(.up)
        #expect(Self.marked(editor) == "seco|nd\nline")
        _ = editor.take(.up)
        #expect(editor.buffer.text == "first")
        for _ in 0..<3 { _ = editor.take(.down) }

        #expect(editor.buffer.text == "draft")
    }

    @Test func searchesBackwards() {
        var editor = LineEditor(history: StatementHistory(["select 1", "drop x", "select 2"]))
        editor.begin()
        for key: Key in [.search, .text("sel")] { _ = editor.take(key) }
        #expect(editor.search?.index == 2)
        _ = editor.take(.search)
        #expect(editor.search?.index == 0)
        #expect(editor.take(.enter) == .submit)

        #expect(editor.buffer.text == "select 1")
    }

    @Test func aSearchThatIsLeftChangesNothing() {
        var editor = LineEditor(history: StatementHistory(["select 1"]))
        editor.begin("keep")
        for key: Key in [.search, .text("sel"), .cancel] { _ = editor.take(key) }

        #expect(editor.search == nil)
        #expect(editor.buffer.text == "keep")
    }

    @Test func completesAsFarAsAllAgree() {
        var editor = LineEditor()
        editor.begin("from cu")
        editor.offer(Completion(start: 5, names: ["custody", "customers"], typed: "cu"))
        #expect(Self.marked(editor) == "from custo|")
        #expect(editor.menu == ["custody", "customers"])
        editor.offer(Completion(start: 5, names: ["customers"], typed: "custo", suffix: " "))

        #expect(Self.marked(editor) == "from customers |")
        #expect(editor.menu.isEmpty)
    }

    @Test func tellsWhatItCannotDecide() {
        var editor = LineEditor()
        editor.begin()

        #expect(editor.take(.endOfInput) == .endOfInput)
        #expect(editor.take(.enter) == .submit)
        #expect(editor.take(.tab) == .complete)
        #expect(editor.take(.interrupt) == .interrupt)
        #expect(editor.take(.paste("a\tb\nc")) == .nothing)
        #expect(editor.buffer.text == "a\tb\nc")
    }
}
