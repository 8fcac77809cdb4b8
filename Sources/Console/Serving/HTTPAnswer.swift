/// What is sent back for one request.
struct HTTPAnswer: Sendable {
    var status: Int
    var contentType = "text/plain; charset=utf-8"
    var headers: [(name: String, value: String)] = []
    var body: String

    static func text(_ status: Int, _ body: String) -> HTTPAnswer { HTTPAnswer(status: status, body: body + "\n") }
}

/// What of a request counts here.
struct HTTPRequest: Sendable {
    var method: String
    /// Without the query.
    var path: String
    var host: String?
    var authorization: String?
}
