/// What a server says about itself in `postmaster.pid` (source: PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*).
struct PostmasterFile: Equatable {
    enum Status: Equatable {
        case starting, ready, stopping
        /// The line is not written yet.
        case unknown
    }

    let pid: Int32
    let status: Status

    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, let pid = Int32(first), pid > 0 else { return nil }
        self.pid = pid
        status = lines.count > 7 ? Self.status(lines[7]) : .unknown
    }

    private static func status(_ line: Substring) -> Status {
        switch line.prefix(while: { $0 != " " }) {
        case "ready", "standby": .ready
        case "starting": .starting
        case "stopping": .stopping
        default: .unknown
        }
    }
}
