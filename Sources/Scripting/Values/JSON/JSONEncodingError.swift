/// What in a Lua value has no JSON form, and where.
package struct JSONEncodingError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Error, Equatable, Sendable {
        case unsupportedType(String)
        case notANumber
        case infinity
        case invalidUTF8
        case cycle
        case tooDeep
        case hole(after: Int64)
        case mixedKeys(String)
        case unsupportedKey(String)
    }

    package let reason: Reason
    /// As Lua would write the way to it, `value.items[3]`.
    package let path: String

    package var description: String {
        "\(reason.description) at \(path)"
    }
}

extension JSONEncodingError.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unsupportedType(let type): "JSON cannot hold a \(type)"
        case .notANumber: "JSON cannot hold NaN"
        case .infinity: "JSON cannot hold infinity"
        case .invalidUTF8: "string is not valid UTF-8"
        case .cycle: "table contains itself"
        case .tooDeep: "nested deeper than \(JSONDecoder.deepest) levels"
        case .hole(let index): "array has a hole after index \(index) (rh.null stands for a missing value)"
        case .mixedKeys(let key): "table is neither array nor object: it also has the key \(key)"
        case .unsupportedKey(let type): "JSON cannot hold a key of type \(type)"
        }
    }
}
