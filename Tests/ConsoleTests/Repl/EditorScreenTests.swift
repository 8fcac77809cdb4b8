import Testing

@testable import Console

@Suite struct EditorLayoutTests {
    private let prompt = Prompt("db=> ", continuation: "db-> ")

    private func layout(_ text: String, width: Int = 20) -> EditorLayout {
        EditorLayout(EditBuffer(text), prompt, width: width)
    }

    @Test func putsPromptsBeforeLines() {
        let layout = layout("select 1,\n  2;")

        #expect(layout.rows == ["db=> select 1,", "db->   2;"])
        #expect(layout.cursor == (1, 9))
    }

    @Test func breaksRowsAtTheWindow() {
        let full = layout("123456789012345")

        #expect(layout("1234567890123456").rows == ["db=> 123456789012345", "6"])
        #expect(full.rows == ["db=> 123456789012345", ""])
        #expect(full.cursor == (1, 0))
        #expect(layout("12345678901234日").rows == ["db=> 12345678901234", "日"])
    }

    @Test func showsTabsAndControlCharacters() {
        #expect(layout("a\tb\u{1B}").rows == ["db=> a  b^["])
    }

    @Test func leavesRoomInNarrowWindows() {
        #expect(layout("abc", width: 8).rows == ["> abc"])
    }
}

@Suite struct EditorScreenTests {
    private let prompt = Prompt("> ", continuation: "- ")

    private func layout(_ text: String, cursor: Int? = nil) -> EditorLayout {
        var buffer = EditBuffer(text)
        if let cursor { buffer.move(to: cursor) }
        return EditorLayout(buffer, prompt, width: 20)
    }

    @Test func writesOnlyWhatWasAdded() {
        var screen = EditorScreen()
        _ = screen.draw(layout("ab"), height: 10)

        #expect(screen.draw(layout("abc"), height: 10) == "\u{1B}[Kc\r\u{1B}[5C")
        #expect(screen.draw(layout("abc"), height: 10) == "")
        #expect(screen.draw(layout("abc", cursor: 0), height: 10) == "\r\u{1B}[2C")
    }

    @Test func goesBackToTheFirstRowToEraseAll() {
        var screen = EditorScreen()
        _ = screen.draw(layout("a\nb\nc"), height: 10)

        #expect(screen.erase() == "\u{1B}[2A\r\u{1B}[J")
        #expect(screen.erase() == "")
    }

    @Test func showsThePartAroundTheCursorInALowWindow() {
        var screen = EditorScreen()
        let output = screen.draw(layout("a\nb\nc\nd"), height: 2)

        #expect(output.contains("- c") && output.contains("- d") && !output.contains("- b"))
        #expect(screen.isClipped)
    }

    @Test func countsRowsThatANarrowerWindowHasBroken() {
        var screen = EditorScreen()
        _ = screen.draw(layout("1234567890123456"), height: 10)

        // 18 columns are two rows of 10.
        #expect(screen.erase(inWidth: 10) == "\u{1B}[1A\r\u{1B}[J")
    }
}
