import ArgumentParser

/// Finds what a misspelt word was meant to be.
enum Spelling {
    /// The candidate with the fewest changes, at most one change for each three letters.
    static func nearest(_ word: String, of candidates: [String]) -> String? {
        let scored = candidates.map { (name: $0, distance: distance(Array(word), Array($0))) }
        guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(1, word.count / 3) ? best.name : nil
    }

    /// "There is no limit 'tim'. Did you mean 'time'?"
    static func unknown(_ kind: String, _ word: String, of candidates: [String]) -> ValidationError {
        let advice =
            nearest(word, of: candidates).map { "Did you mean '\($0)'?" }
            ?? "There are \(candidates.joined(separator: ", "))."
        return ValidationError("There is no \(kind) '\(word)'. \(advice)")
    }

    /// Letters to insert, remove, replace, or swap with their neighbour (optimal string alignment).
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var previous: [Int] = []
        var current = Array(0...b.count)
        for i in a.indices {
            let beforePrevious = previous
            previous = current
            current[0] = i + 1
            for j in b.indices {
                current[j + 1] = min(previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    current[j + 1] = min(current[j + 1], beforePrevious[j - 1] + 1)
                }
            }
        }
        return current[b.count]
    }
}
