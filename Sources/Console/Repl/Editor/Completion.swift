/// What could stand where something was begun.
struct Completion: Equatable {
    /// Of what was begun; in characters of the text.
    var start: Int
    /// In order, none twice. Each would replace everything from `start` to the cursor.
    var candidates: [String]
    /// What was begun, as it was typed.
    var typed: String
    /// Follows a name that is the only one.
    var suffix = ""

    /// `names` in any order.
    init(start: Int, names: [String], typed: String, suffix: String = "") {
        self.start = start
        self.typed = typed
        self.suffix = suffix
        candidates = []
        candidates.reserveCapacity(names.count)
        for name in names.sorted() where candidates.last != name { candidates.append(name) }
    }

    var isUnique: Bool { candidates.count == 1 }

    /// The text for the place between `start` and the cursor, nil to leave it.
    var insertion: String? {
        guard let first = candidates.first else { return nil }
        if isUnique { return first + suffix }
        // What the first and the last have in common, all between them have.
        let common = first.commonPrefix(with: candidates[candidates.count - 1])
        return common.count > typed.count && common.lowercased().hasPrefix(typed.lowercased()) ? common : nil
    }
}

extension String {
    fileprivate func commonPrefix(with other: String) -> String {
        String(zip(self, other).prefix { $0 == $1 }.map(\.0))
    }
}
