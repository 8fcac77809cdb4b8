/// Escape sequences for the parts of a message; empty where there are no colours.
struct Palette: Equatable {
    enum Role {
        case error, warning, place, mark, help, faint, added, changed, removed, done
    }

    static let plain = Palette(isColoured: false)
    static let coloured = Palette(isColoured: true)

    private let isColoured: Bool

    func paint(_ text: String, _ role: Role) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(Self.code(role))m\(text)\u{1B}[0m" : text
    }

    private static func code(_ role: Role) -> String {
        switch role {
        case .error: "1;31"
        case .warning: "1;33"
        case .place: "34"
        case .mark: "31"
        case .help: "36"
        case .faint: "2"
        case .added, .done: "32"
        case .changed: "33"
        case .removed: "31"
        }
    }
}
