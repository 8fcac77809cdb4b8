import TestSupport
import Testing

/// A page in a browser of its own.
struct BrowserPage {
    private struct Nothing: Decodable {}
    private struct Target: Decodable { var targetId: String }
    private struct Session: Decodable { var sessionId: String }
    private struct Evaluation: Decodable {
        struct Value: Decodable { var value: String? }
        struct Failure: Decodable { var text: String }
        var result: Value
        var exceptionDetails: Failure?
    }

    private let browser: Browser
    private let session: String

    init(_ address: String, width: Int = 1280, isDark: Bool = false) async throws {
        browser = try Browser()
        let target = try await browser.ask("Target.createTarget", ["url": "about:blank"], as: Target.self).targetId
        session = try await browser.ask(
            "Target.attachToTarget", ["targetId": target, "flatten": true], as: Session.self
        ).sessionId
        try await tell("Runtime.enable")
        try await tell("Log.enable")
        try await resize(to: width)
        let scheme = ["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]
        try await tell("Emulation.setEmulatedMedia", ["features": [scheme]])
        try await tell("Page.navigate", ["url": address])
        let isThere = try await holds("location.protocol == 'http:' && document.readyState == 'complete'")
        try #require(isThere, "the browser does not get \(address)")
    }

    /// Uncaught errors of its script, and what its content policy kept from running.
    var complaints: [String] { browser.complaints }

    private func tell(_ method: String, _ parameters: [String: Any] = [:]) async throws {
        _ = try await browser.ask(method, parameters, session: session, as: Nothing.self)
    }

    func resize(to width: Int) async throws {
        try await tell(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": 900, "deviceScaleFactor": 1, "mobile": true])
    }

    /// The value of an expression, as text.
    func value(_ expression: String) async throws -> String {
        let parameters: [String: Any] = ["expression": "String(\(expression))", "awaitPromise": true]
        let evaluation = try await browser.ask("Runtime.evaluate", parameters, session: session, as: Evaluation.self)
        try #require(evaluation.exceptionDetails == nil, "\(expression): \(evaluation.exceptionDetails?.text ?? "")")
        return evaluation.result.value ?? ""
    }

    /// The text of what a selector finds first; empty if there is none, or if it is hidden.
    func text(_ selector: String) async throws -> String {
        try await value("(e => e?.checkVisibility() ? e.innerText : '')(document.querySelector(`\(selector)`))")
    }

    /// A number in the text of what a selector finds first.
    func number(_ selector: String) async throws -> Int? {
        Int(try await text(selector).filter { $0.isNumber || $0 == "-" })
    }

    /// Waits until an expression holds.
    func holds(_ expression: String, within patience: Duration = .seconds(30)) async throws -> Bool {
        try await eventually(within: patience) { try await value(expression) == "true" }
    }

    func press(_ key: String, code: Int) async throws {
        for kind in ["rawKeyDown", "keyUp"] {
            let key: [String: Any] = ["type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code]
            try await tell("Input.dispatchKeyEvent", key)
        }
    }
}
