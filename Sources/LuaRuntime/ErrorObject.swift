import CLua
import CLuaShim

/// A host error as a script sees it: `code`, `message`, `hint`, its kind's own fields, and text.
final class ErrorObject {
    static let type = ObjectType<ErrorObject>("error")

    let error: ScriptError
    let position: String?

    init(_ error: ScriptError, position: String?) {
        self.error = error
        self.position = position
    }

    /// "shop.lua:12: message", then what explains it.
    var text: String {
        let head = position.map { "\($0): \(error.message)" } ?? error.message
        return error.details.map { "\(head)\n\($0)" } ?? head
    }

    private func field(_ name: String) -> ScriptError.Field? {
        switch name {
        case "code": .string(error.code)
        case "message": .string(error.message)
        case "hint": error.fields["hint"] ?? error.hint.map { .string($0) }
        case "position": error.fields["position"] ?? position.map { .string($0) }
        default: error.fields[name]
        }
    }

    static func register(in stack: LuaStack) {
        type.register(
            in: stack,
            metamethods: [
                "__index": { stack throws(ScriptError) in
                    let object = try stack.receiver(type, "error")
                    if let name = stack.string(at: 2), let field = object.field(name) {
                        stack.push(field)
                    } else {
                        stack.pushNil()
                    }
                    return 1
                },
                "__tostring": { stack throws(ScriptError) in
                    stack.push(try stack.receiver(type, "error").text)
                    return 1
                },
                "__concat": { stack throws(ScriptError) in
                    stack.push(try text(in: stack, at: 1) + text(in: stack, at: 2))
                    return 1
                },
            ])
    }

    private static func text(in stack: LuaStack, at index: Int32) throws(ScriptError) -> String {
        if let object = stack.object(at: index, type) { return object.text }
        if let string = stack.string(at: index) { return string }
        if let number = stack.integer(at: index) { return String(number) }
        if let number = stack.number(at: index) { return String(number) }
        throw ScriptError(code: "RH1004", "attempt to concatenate a \(stack.describe(at: index)) value")
    }
}

extension LuaStack {
    /// Pushes the field `name` of the error object at `index`; false if that is no error object.
    package func errorValue(at index: Int32) -> ScriptError? { object(at: index, ErrorObject.type)?.error }
}
