import Glibc
package import Logging
import PostgresProtocol
import Synchronization

/// Writes log records to a file descriptor, one line each, as text or as JSON.
///
/// All handlers of one `LogOutput` share its form and level, which may change while running.
package final class LogOutput: Sendable {
    package enum Form: Sendable { case text, json }

    private struct Settings {
        var form: Form
        var level: Logger.Level
        var surrounding: (@Sendable (() -> Void) -> Void)?
    }

    private static let keptRecords = 50

    private let settings: Mutex<Settings>
    private let kept = Mutex<[LogRecord]>([])
    private let descriptor: CInt

    /// `descriptor` stays open as long as this is used; it is not closed.
    package init(descriptor: CInt = STDERR_FILENO, form: Form = .text, level: Logger.Level = .info) {
        self.descriptor = descriptor
        settings = Mutex(Settings(form: form, level: level))
    }

    package var form: Form {
        get { settings.withLock { $0.form } }
        set { settings.withLock { $0.form = newValue } }
    }

    package var level: Logger.Level {
        get { settings.withLock { $0.level } }
        set { settings.withLock { $0.level = newValue } }
    }

    /// Called for each record in place of writing it, with what writes it: a terminal may have to be made ready.
    package func surround(_ body: (@Sendable (_ write: () -> Void) -> Void)?) {
        settings.withLock { $0.surrounding = body }
    }

    package func handler(label: String) -> LogRecordHandler {
        LogRecordHandler(output: self, label: label)
    }

    /// The newest warnings and errors, oldest first.
    var warnings: [LogRecord] { kept.withLock { $0 } }

    fileprivate func keep(_ record: LogRecord) {
        kept.withLock { records in
            records.append(record)
            if records.count > Self.keptRecords { records.removeFirst() }
        }
    }

    /// One write, so that lines of several threads do not mix.
    func write(_ line: String) {
        guard let surrounding = settings.withLock({ $0.surrounding }) else { return writeNow(line) }
        surrounding { writeNow(line) }
    }

    private func writeNow(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while rest.count > 0 {
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                // Nobody reads the log any more: there is no other place to say so.
                guard written > 0 || errno == EINTR else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[max(0, written)...])
            }
        }
    }
}

/// What swift-log calls for each record.
package struct LogRecordHandler: LogHandler {
    private let output: LogOutput
    private let label: String
    package var metadata: Logger.Metadata = [:]

    init(output: LogOutput, label: String) {
        self.output = output
        self.label = label
    }

    package var logLevel: Logger.Level {
        get { output.level }
        set { output.level = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let record = LogRecord(
            time: TimeValue.now(), level: event.level, message: event.message.description, label: label,
            fields: fields.map { (key: $0.key, value: $0.value.description) }.sorted { $0.key < $1.key })
        if event.level >= .warning { output.keep(record) }
        output.write(output.form == .text ? record.text : record.json)
    }
}

/// One line of the log.
struct LogRecord: Sendable {
    let time: TimeValue
    let level: Logger.Level
    let message: String
    let label: String
    let fields: [(key: String, value: String)]

    private var timeText: String { time.textInMilliseconds }

    /// `2026-01-31T12:00:00.000Z info message key=value`; a value with blanks is quoted.
    var text: String {
        var line = "\(timeText) \(level.rawValue) \(Self.escaped(message))"
        for (key, value) in fields {
            let isPlain =
                !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 != 0x7F }
            line += " \(key)=" + (isPlain ? value : JSONText.string(value))
        }
        return line
    }

    /// A script names its own attributes. Those of the host are OpenTelemetry's, which have a dot, or begin with
    /// "replhost.".
    private func attribute(_ key: String) -> String {
        label == ScriptLog.label || key.contains(".") ? key : "replhost.\(key)"
    }

    /// With the names of OpenTelemetry's data model for logs.
    var json: String {
        var line = "{\"timestamp\":\"\(timeText)\",\"severity_text\":\"\(level.severity.text)\""
        line += ",\"severity_number\":\(level.severity.number),\"body\":\(JSONText.string(message))"
        line += ",\"scope\":{\"name\":\(JSONText.string(label))},\"attributes\":{"
        line += fields.map { "\(JSONText.string(attribute($0.key))):\(JSONText.string($0.value))" }.joined(
            separator: ",")
        return line + "}}"
    }

    /// Control characters must not forge lines or move the terminal's cursor.
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        return String(JSONText.string(text).dropFirst().dropLast())
    }
}

extension Logger.Level {
    /// As OpenTelemetry has it.
    fileprivate var severity: (text: String, number: Int) {
        switch self {
        case .trace: ("TRACE", 1)
        case .debug: ("DEBUG", 5)
        case .info: ("INFO", 9)
        case .notice: ("INFO2", 10)
        case .warning: ("WARN", 13)
        case .error: ("ERROR", 17)
        case .critical: ("FATAL", 21)
        }
    }
}

extension TimeValue {
    /// `2026-01-31T12:00:00.000Z`, of a time in UTC.
    var textInMilliseconds: String { (try? TimeFormatter(self).format("%Y-%m-%dT%H:%M:%S.%LZ")) ?? description }
}
