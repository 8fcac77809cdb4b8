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
    /// `index` is the stack's; as in Lua's own messages, the object before a method's colon is not counted.
    package static func argument(_ index: Int, of function: String, _ reason: String) -> ScriptError {
        let position = function.contains(":") ? index - 1 : index
        return ScriptError(code: "RH1001", "bad argument #\(position) to '\(function)' (\(reason))")
    }

    /// A name that an object does not have; `owner` as "a connection", "rh.mask".
    package static func unknownMember(
        _ name: String, of owner: String, among names: [String], hint: String? = nil
    ) -> ScriptError {
        let near = Suggestion.nearest(to: name, among: names)
        return ScriptError(
            code: "RH1008", "\(owner) has no \"\(name)\"" + (near.map { ", did you mean \"\($0)\"?" } ?? ""), hint: hint
        )
    }
}
