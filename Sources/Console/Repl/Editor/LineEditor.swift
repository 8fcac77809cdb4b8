/// Turns keys into a statement. Knows neither terminal nor screen, and decides nothing about languages: its owner says
/// whether a text is whole, and what could complete it.
struct LineEditor {
    /// What the owner does now.
    enum Effect: Equatable {
        case nothing
        /// The text is to be taken, or goes on in another line (`insertLineBreak`).
        case submit
        /// Tab.
        case complete
        case interrupt
        case endOfInput
        case clearScreen
        case suspend
    }

    private(set) var buffer = EditBuffer()
    private(set) var history: StatementHistory
    private(set) var search: HistorySearch?
    /// Names that could complete the text, shown below it until the next key.
    private(set) var menu: [String] = []
    private var killed = ""
    private var undos: [EditBuffer] = []

    private static let mostUndos = 200

    init(history: StatementHistory = StatementHistory()) { self.history = history }

    // MARK: What the owner does

    /// A new statement.
    mutating func begin(_ text: String = "") {
        buffer = EditBuffer(text)
        undos = []
        menu = []
        search = nil
        history.leave()
    }

    mutating func insertLineBreak() { change { $0.insert("\n") } }

    mutating func offer(_ completion: Completion) {
        if let text = completion.insertion {
            change { $0.replace(completion.start..<$0.cursor, with: text) }
        }
        menu = completion.isUnique ? [] : completion.candidates
    }

    mutating func closeMenu() { menu = [] }

    /// False if nothing new is to be remembered.
    mutating func remember(_ text: String) -> Bool { history.add(text) }

    // MARK: Keys

    mutating func take(_ key: Key) -> Effect {
        if search != nil { return takeInSearch(key) }
        menu = []
        switch key {
        case .text(let text): change { $0.insert(text) }
        case .paste(let text): change { $0.insert(text) }
        case .lineBreak: insertLineBreak()
        case .enter: return .submit
        case .tab: return .complete
        case .interrupt: return .interrupt
        case .clearScreen: return .clearScreen
        case .suspend: return .suspend
        case .endOfInput:
            if buffer.isEmpty { return .endOfInput }
            deleteAfter()
        case .up: goUp()
        case .down: goDown()
        case .search: search = HistorySearch(history)
        case .cancel, .unknown: break
        case .undo: if let last = undos.popLast() { buffer = last }
        case .left, .right, .home, .end, .wordLeft, .wordRight: move(key)
        case .backspace, .delete, .killToEnd, .killToStart, .killWordBefore, .killPartBefore, .killPartAfter, .yank,
            .transpose:
            edit(key)
        }
        return .nothing
    }

    private mutating func change(_ body: (inout EditBuffer) -> Void) {
        let before = buffer
        body(&buffer)
        guard buffer.characters != before.characters else { return }
        undos.append(before)
        if undos.count > Self.mostUndos { undos.removeFirst() }
    }

    private mutating func move(_ key: Key) {
        switch key {
        case .left: buffer.move(to: buffer.cursor - 1)
        case .right: buffer.move(to: buffer.cursor + 1)
        case .home: buffer.move(to: buffer.lineStart)
        case .end: buffer.move(to: buffer.lineEnd)
        case .wordLeft: buffer.move(to: buffer.wordStart)
        case .wordRight: buffer.move(to: buffer.wordEnd)
        default: break
        }
    }

    private mutating func edit(_ key: Key) {
        switch key {
        case .backspace: change { if $0.cursor > 0 { $0.remove(($0.cursor - 1)..<$0.cursor) } }
        case .delete: deleteAfter()
        case .killToEnd: kill(buffer.cursor..<max(buffer.lineEnd, min(buffer.cursor + 1, buffer.characters.count)))
        case .killToStart: kill(min(buffer.lineStart, max(0, buffer.cursor - 1))..<buffer.cursor)
        case .killWordBefore: kill(buffer.blankWordStart..<buffer.cursor)
        case .killPartBefore: kill(buffer.wordStart..<buffer.cursor)
        case .killPartAfter: kill(buffer.cursor..<buffer.wordEnd)
        case .yank: change { [killed] in $0.insert(killed) }
        case .transpose: change { $0.transpose() }
        default: break
        }
    }

    private mutating func deleteAfter() {
        change { if !$0.isAtEnd { $0.remove($0.cursor..<($0.cursor + 1)) } }
    }

    private mutating func kill(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        var text = ""
        change { text = $0.remove(range) }
        killed = text
    }

    // MARK: History

    private mutating func goUp() {
        if let position = buffer.above {
            buffer.move(to: position)
        } else if let text = history.older(than: buffer.text) {
            buffer = EditBuffer(text)
        }
    }

    private mutating func goDown() {
        if let position = buffer.below {
            buffer.move(to: position)
        } else if let text = history.newer() {
            buffer = EditBuffer(text)
        }
    }

    private mutating func takeInSearch(_ key: Key) -> Effect {
        guard var current = search else { return .nothing }
        switch key {
        case .text(let text), .paste(let text):
            current.add(text, in: history)
            search = current
        case .backspace:
            current.removeLast(in: history)
            search = current
        case .search:
            current.goOn(in: history)
            search = current
        case .cancel, .interrupt:
            search = nil
        default:
            search = nil
            if let index = current.index { change { [history] in $0 = EditBuffer(history.entries[index]) } }
            return take(key)
        }
        return .nothing
    }
}

/// Ctrl-R: looks for a text in what was typed before, from the latest on.
struct HistorySearch: Equatable {
    private(set) var query = ""
    /// Of the entry that is shown.
    private(set) var index: Int?
    private let count: Int

    init(_ history: StatementHistory) { count = history.entries.count }

    var hasFailed: Bool { index == nil && !query.isEmpty }

    mutating func add(_ text: String, in history: StatementHistory) {
        query += text
        index = history.match(query, before: index.map { $0 + 1 } ?? count)
    }

    mutating func removeLast(in history: StatementHistory) {
        guard !query.isEmpty else { return }
        query.removeLast()
        index = history.match(query, before: count)
    }

    mutating func goOn(in history: StatementHistory) {
        if let next = history.match(query, before: index ?? count) { index = next }
    }
}
