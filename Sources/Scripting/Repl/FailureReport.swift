package import LuaRuntime

/// The facts of a failure, for whoever shows it.
package struct FailureReport: Error, Equatable, Sendable {
    /// Stable name of the kind of error; nil for what Lua itself or `error` raised.
    package var code: String?
    package var message: String
    package var sqlstate: String?
    /// More lines: the SQL with its caret, PostgreSQL's detail and hint.
    package var details: String?
    package var hint: String?
    package var place: SourcePlace?
    /// The script's own calls, innermost first.
    package var calls: [String]

    package init(
        code: String? = nil, _ message: String, sqlstate: String? = nil, details: String? = nil, hint: String? = nil,
        place: SourcePlace? = nil, calls: [String] = []
    ) {
        self.code = code
        self.message = message
        self.sqlstate = sqlstate
        self.details = details
        self.hint = hint
        self.place = place
        self.calls = calls
    }

    /// - Parameter showsValues: whether PostgreSQL's message may show what stands in rows.
    package init(_ failure: LuaFailure, showsValues: Bool = true) {
        let error = failure.error
        self.init(
            code: error.code == "RH1000" ? nil : error.code, error.message,
            sqlstate: Self.text(error.fields["sqlstate"]),
            details: error.details, hint: error.hint, place: failure.position.flatMap(SourcePlace.init),
            calls: Traceback.scriptCalls(in: failure.traceback))
        if place == nil { takePlaceFromMessage() }
        // coroutine.wrap puts the place before the message once more.
        if let position = failure.position, message.hasPrefix("\(position): ") {
            message.removeFirst(position.count + 2)
        }
        if code == nil, hint == nil { hint = MissingValue.hint(for: message) }
        if !showsValues {
            hideValues(detail: Self.text(error.fields["detail"]), context: Self.text(error.fields["context"]))
        }
    }

    private mutating func hideValues(detail: String?, context: String?) {
        guard let sqlstate else { return }
        let hiding = ValueHiding(sqlstate: sqlstate)
        let shown = (message, details)
        message = hiding.message(message)
        if let detail { details = details?.replacing("DETAIL:  \(detail)", with: "DETAIL:  \(hiding.detail(detail))") }
        if let context {
            details = details?.replacing("CONTEXT:  \(context)", with: "CONTEXT:  \(hiding.context(context))")
        }
        if (message, details) != shown, hint == nil { hint = "Row values are hidden; --show-values shows them." }
    }

    /// An error that no Lua code raised.
    package init(_ error: ScriptError) {
        self.init(LuaFailure(error: error))
    }

    /// The compiler's messages begin with the place.
    private mutating func takePlaceFromMessage() {
        guard let match = message.prefixMatch(of: #/([^\n]{1,200}?:\d+): /#) else { return }
        place = SourcePlace(String(match.1))
        message = String(message[match.range.upperBound...])
    }

    /// For a log.
    var line: String {
        let code = code.map { "\($0): " } ?? ""
        return code + message + (place.map { " (\($0.file):\($0.line))" } ?? "")
    }

    private static func text(_ field: ScriptError.Field?) -> String? {
        if case .string(let text) = field { return text }
        return nil
    }
}

/// A line of a script.
package struct SourcePlace: Equatable, Sendable {
    /// As Lua names it: a path, perhaps cut at its left ("...dir/shop.lua"), "(command line)" or "stdin".
    package var file: String
    /// From 1.
    package var line: Int

    package init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// Reads "file:line".
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let line = Int(text[text.index(after: colon)...]), line > 0 else {
            return nil
        }
        self.init(file: String(text[..<colon]), line: line)
    }
}
