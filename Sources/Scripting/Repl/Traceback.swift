/// Lua's traceback without what is not the script's.
enum Traceback {
    /// "shop.lua:18: in function 'check'", innermost first.
    static func scriptCalls(in traceback: String) -> [String] {
        traceback.split(separator: "\n").map(trimmed).filter(isOfScript)
    }

    private static func trimmed(_ line: Substring) -> String {
        String(line.drop { $0 == "\t" || $0 == " " })
    }

    private static func isOfScript(_ line: String) -> Bool {
        guard !line.hasPrefix("stack traceback:"), !line.hasPrefix("[C]:") else { return false }
        return !line.contains("/stdlib/replhost/") && !line.hasPrefix("(...tail calls...)")
    }
}
