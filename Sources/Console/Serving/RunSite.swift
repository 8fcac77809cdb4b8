import Scripting

/// What a run shows to those who ask over HTTP.
struct RunSite: Sendable {
    private static let methods = ["GET", "HEAD"]
    /// The page brings all that it needs along, and nothing else may come.
    private static let contentPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
        + "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

    private let policy: AccessPolicy
    private let figures: @Sendable () async -> RunFigures

    init(_ policy: AccessPolicy, _ figures: @escaping @Sendable () async -> RunFigures) {
        self.policy = policy
        self.figures = figures
    }

    func answer(_ request: HTTPRequest) async -> HTTPAnswer {
        var answer = await content(request)
        answer.headers += [
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", Self.contentPolicy),
        ]
        return answer
    }

    private func content(_ request: HTTPRequest) async -> HTTPAnswer {
        // Whoever watches over processes has no token.
        if request.path != "/healthz" {
            switch policy.judge(host: request.host, authorization: request.authorization) {
            case .allowed: break
            case .wrongHost: return .text(403, "This server answers on the names of its own machine only.")
            case .needsToken:
                var answer = HTTPAnswer.text(401, "This needs the token: Authorization: Bearer TOKEN")
                answer.headers = [("WWW-Authenticate", "Basic realm=\"replhost\", charset=\"UTF-8\"")]
                return answer
            }
        }
        guard let page = Page(rawValue: request.path) else {
            return .text(404, "There is " + Page.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        guard Self.methods.contains(request.method) else {
            var answer = HTTPAnswer.text(405, "This can only be read.")
            answer.headers = [("Allow", Self.methods.joined(separator: ", "))]
            return answer
        }
        return await self.answer(page)
    }

    private enum Page: String, CaseIterable {
        case overview = "/"
        case status = "/status.json"
        case metrics = "/metrics"
        case health = "/healthz"
        case readiness = "/readyz"
    }

    private func answer(_ page: Page) async -> HTTPAnswer {
        switch page {
        case .overview:
            guard let text = StatusPage.text else { return .text(500, "stdlib/replhost/page.html is missing.") }
            return HTTPAnswer(status: 200, contentType: "text/html; charset=utf-8", body: text)
        case .status:
            return HTTPAnswer(status: 200, contentType: "application/json", body: await figures().json + "\n")
        case .metrics:
            return HTTPAnswer(
                status: 200, contentType: ExpositionText.contentType, body: MetricsText(await figures()).text)
        case .health: return .text(200, "ok")
        case .readiness: return readiness(await figures())
        }
    }

    private func readiness(_ figures: RunFigures) -> HTTPAnswer {
        guard !figures.isReady else { return .text(200, "ready") }
        let reasons = figures.pipelines.filter { !$0.isReady }.map { pipeline in
            "\(pipeline.name): \(pipeline.phase.rawValue)" + (pipeline.note.map { " (\($0))" } ?? "")
        }
        return .text(503, reasons.joined(separator: "\n"))
    }
}
