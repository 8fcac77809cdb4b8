import Logging

/// What the host itself has to say while a script runs; on standard error, through the same log as `rh.log`.
enum Diagnostics {
    private static let logger = Logger(label: "replhost")

    static func warn(_ text: String) { logger.warning("\(text)") }
}
