import Testing

@testable import Scripting

@Suite struct ReplValueHidingTests {
    @Test(arguments: [
        ("23505", "Key (email)=(ann@example.com) already exists.", "Key (email)=(…) already exists."),
        ("23505", "Schlüssel »(a, b)=(1, x)« existiert bereits.", "Schlüssel »(a, b)=(…)« existiert bereits."),
        ("23502", "Failing row contains (1, null, Ann).", "Failing row contains (…)."),
        ("23P01", "Key (r)=([1,2)) conflicts with existing key (r)=([1,3)).", "Key (r)=(…)."),
        ("44000", "Failing row contains (1).", "Failing row contains (…)."),
        ("22P02", "Token \"Ann\" is invalid.", "Token \"…\" is invalid."),
        ("40P01", "Process 1 (x) waits for \"y\".", "Process 1 (x) waits for \"y\"."),
    ])
    func hidesValuesInADetail(sqlstate: String, detail: String, expected: String) {
        #expect(ValueHiding(sqlstate: sqlstate).detail(detail) == expected)
    }

    @Test(arguments: [
        ("22P02", "invalid input syntax for type integer: \"Ann\"", "invalid input syntax for type integer: \"…\""),
        ("22P02", "ungültige Eingabesyntax für Typ integer: »Ann«", "ungültige Eingabesyntax für Typ integer: »…«"),
        ("22003", "value \"99\" is out of range for type smallint", "value \"…\" is out of range for type smallint"),
        ("42P01", "relation \"customers\" does not exist", "relation \"customers\" does not exist"),
    ])
    func hidesValuesInAMessage(sqlstate: String, message: String, expected: String) {
        #expect(ValueHiding(sqlstate: sqlstate).message(message) == expected)
    }

    @Test(arguments: [
        ("COPY customers, line 3, column email: \"ann@example.com\"", "COPY customers, line 3, column email: …"),
        ("SQL function \"f\"\nCOPY t, line 1: \"a: \n b\"", "SQL function \"f\"\nCOPY t, line 1: …"),
        ("JSON data, line 1: {\"name\": Ann...", "JSON data, line 1: …"),
        ("PL/pgSQL function f() line 3 at RAISE", "PL/pgSQL function f() line 3 at RAISE"),
    ])
    func hidesValuesInAContext(context: String, expected: String) {
        #expect(ValueHiding(sqlstate: "22P02").context(context) == expected)
    }
}
