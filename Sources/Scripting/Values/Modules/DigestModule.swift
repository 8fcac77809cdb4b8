import CLua
import Crypto

/// `rh.hash`, `rh.base64`, `rh.hex` and `rh.uuid`.
enum DigestModule {
    static let functions: [(String, ValueFunction)] = [
        ("hash.sha256", { call throws(ValueError) in try digest(call, SHA256()) }),
        ("hash.sha512", { call throws(ValueError) in try digest(call, SHA512()) }),
        ("hash.sha1", { call throws(ValueError) in try digest(call, Insecure.SHA1()) }),
        ("hash.md5", { call throws(ValueError) in try digest(call, Insecure.MD5()) }),
        ("hash.hmac", hmac),
        ("base64.encode", { call throws(ValueError) in call.push(Base64.encode(try call.bytes(1, "bytes"))) }),
        ("base64.url", { call throws(ValueError) in call.push(Base64.encode(try call.bytes(1, "bytes"), .url)) }),
        (
            "base64.decode",
            { call throws(ValueError) in try decoded(call, Base64.decode(try call.bytes(1, "text")), "base64") }
        ),
        ("hex.encode", { call throws(ValueError) in call.push(Hexadecimal.encode(try call.bytes(1, "bytes"))) }),
        (
            "hex.decode",
            { call throws(ValueError) in try decoded(call, Hexadecimal.decode(try call.bytes(1, "text")), "hexadecimal")
            }
        ),
        ("uuid.v4", { call throws(ValueError) in call.push(Identifier.random().description) }),
        ("uuid.v7", { call throws(ValueError) in call.push(Identifier.ordered().description) }),
        ("uuid.v5", named),
        ("uuid.parse", parse),
    ]

    private static func digest(_ call: borrowing ValueCall, _ hash: some HashFunction) throws(ValueError) -> CInt {
        var hash = hash
        hash.update(bufferPointer: try call.bytes(1, "bytes"))
        let isRaw = try isRaw(call, 2)
        let bytes = Array(hash.finalize())
        return call.push(isRaw ? bytes : Hexadecimal.encode(bytes))
    }

    private static func hmac(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let hash = KeyedHash(key: try call.bytes(1, "key"))
        let isRaw = try isRaw(call, 3)
        return hash.digest(try call.bytes(2, "bytes")).withUnsafeBytes {
            isRaw ? call.push($0) : call.push(Hexadecimal.encode($0))
        }
    }

    private static func isRaw(_ call: borrowing ValueCall, _ index: CInt) throws(ValueError) -> Bool {
        if call.isAbsent(index) { return false }
        let form = try call.string(index, "form")
        guard form == "raw" || form == "hex" else {
            throw call.failed("form must be \"hex\" or \"raw\", got \"\(form)\"")
        }
        return form == "raw"
    }

    private static func decoded(_ call: borrowing ValueCall, _ bytes: [UInt8]?, _ form: String) throws(ValueError)
        -> CInt
    {
        guard let bytes else { throw call.failed("text is not \(form)") }
        return call.push(bytes)
    }

    private static func named(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        let text = try call.bytes(1, "namespace")
        let known = Identifier.namespace(String(decoding: text, as: UTF8.self))
        guard let namespace = known ?? Identifier(text: text) else {
            throw call.failed("namespace must be a UUID, \"dns\", \"url\", \"oid\" or \"x500\"")
        }
        return call.push(Identifier.named(try call.bytes(2, "name"), in: namespace).description)
    }

    /// The canonical form and the version, or nil.
    private static func parse(_ call: borrowing ValueCall) throws(ValueError) -> CInt {
        guard let identifier = Identifier(text: try call.bytes(1, "text")) else { return call.pushNil() }
        return call.push(identifier.description) + call.push(Int64(identifier.version))
    }
}
