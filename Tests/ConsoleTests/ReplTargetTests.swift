import Testing

@testable import Console

@Suite struct ReplTargetTests {
    private func target(_ argument: String?, _ variables: String...) -> ReplTarget {
        ReplTarget(argument, isSet: variables.contains)
    }

    @Test func tellsDSNsFromScripts() {
        #expect(target("postgres://h/db") == .dsn("postgres://h/db"))
        #expect(target("host=h") == .dsn("host=h"))
        #expect(target("sandbox:x") == .dsn("sandbox:x"))
        #expect(target("a.lua") == .script("a.lua"))
    }

    @Test func followsTheEnvironmentElseItIsASandbox() {
        #expect(target(nil, "PGHOST") == .environment)
        #expect(target(nil, "PGPASSWORD") == .dsn("sandbox:default"))
    }

    @Test func quotesTheDSNForLua() {
        #expect(target("host='a\"b' x=\\").prelude.contains(#"dsn = "host='a\"b' x=\\""#))
    }
}
