import Testing

@testable import Console

@Suite struct PasswordTextTests {
    @Test(arguments: [
        ("dsn = 'postgres://u:pw@h/x'", "dsn = 'postgres://u:**@h/x'"),
        ("postgres://u:p@w@h/x", "postgres://u:***@h/x"),
        ("postgresql://u:p/w@h/x", "postgresql://u:***@h/x"),
        ("postgres://u:pw@a/x postgres://u:qw@b/x", "postgres://u:**@a/x postgres://u:**@b/x"),
        ("\"host=h password=pw dbname=x\"", "\"host=h password=** dbname=x\""),
        ("\"password = pw\"", "\"password = **\""),
        ("password='p w' x", "password='***' x"),
        ("{ password = \"p;w\", port = 1 }", "{ password = \"***\", port = 1 }"),
        ("{ [\"password\"] = 'pw' }", "{ [\"password\"] = '**' }"),
        ("ALTER ROLE a PASSWORD 'pw'", "ALTER ROLE a PASSWORD '**'"),
        ("sslpassword=pw", "sslpassword=**"),
    ])
    func hidesPasswordsAndKeepsColumns(_ text: String, _ expected: String) {
        #expect(PasswordText.hidden(text) == expected)
    }

    @Test(arguments: [
        "password = os.getenv \"PGPASSWORD\"", "postgres://u@h:5432/x", "no column \"password\" in public.users",
        "password authentication failed for user \"u\"", "if row.password == nil then", "http://h:1/a",
    ])
    func leavesAllElse(_ text: String) {
        #expect(PasswordText.hidden(text) == text)
    }
}
