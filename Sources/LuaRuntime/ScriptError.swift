/// An error on its way from the host into Lua, where it becomes an object with these fields.
package struct ScriptError: Error, Sendable {
    /// A value of an error's field.
    package enum Field: Sendable, Equatable {
        case string(String)
        case integer(Int64)
        case boolean(Bool)
    }

    /// Stable name of the kind of error, as "RH2104".
    package var code: String
    /// One line, lower case, without the place.
    package var message: String
    /// What helps, a full sentence.
    package var hint: String?
    /// More lines for people to read (the caret of a SQL error), shown below the message.
    package var details: String?
    /// What a script can ask for by name.
    package var fields: [String: Field]

    package init(
        code: String, _ message: String, hint: String? = nil, details: String? = nil, fields: [String: Field] = [:]
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details
        self.fields = fields
    }

    /// A wrong argument: `function` as the script calls it, `reason` as "number expected, got string".
    package static func argument(_ position: Int, of function: String, _ reason: String) -> ScriptError {
        ScriptError(code: "RH1001", "bad argument #\(position) to '\(function)' (\(reason))")
    }
}
