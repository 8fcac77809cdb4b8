/// What was typed before, whole statements, and which of them is looked at.
struct StatementHistory {
    private(set) var entries: [String]
    /// `entries.count` is what is being typed now.
    private var position: Int
    private var draft = ""

    init(_ entries: [String] = []) {
        self.entries = entries
        position = entries.count
    }

    /// False if it is the last one again.
    mutating func add(_ text: String) -> Bool {
        let isNew = entries.last != text
        if isNew { entries.append(text) }
        leave()
        return isNew
    }

    /// The next statement begins.
    mutating func leave() {
        position = entries.count
        draft = ""
    }

    /// `current` is kept while others are looked at.
    mutating func older(than current: String) -> String? {
        guard position > 0 else { return nil }
        if position == entries.count { draft = current }
        position -= 1
        return entries[position]
    }

    mutating func newer() -> String? {
        guard position < entries.count else { return nil }
        position += 1
        return position == entries.count ? draft : entries[position]
    }

    /// The latest entry before `end` that has the text in it.
    func match(_ text: String, before end: Int) -> Int? {
        guard !text.isEmpty else { return nil }
        return entries.prefix(end).lastIndex { $0.contains(text) }
    }
}
