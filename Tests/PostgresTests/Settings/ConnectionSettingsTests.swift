import Testing

@testable import Postgres

struct ConnectionSettingsTests {
    @Test func readsAURL() throws {
        let settings = try ConnectionSettings(
            "postgresql://ann:s%2Fcret@db:6543/shop?sslmode=require&application_name=x")

        #expect(settings["host"] == "db")
        #expect(settings["port"] == "6543")
        #expect(settings["database"] == "shop")
        #expect(settings["user"] == "ann")
        #expect(settings["password"] == "s/cret")
        #expect(settings["sslmode"] == "require")
    }

    @Test func readsAConninfoStringAndKeywords() throws {
        let fromText = try ConnectionSettings("host=db dbname='my shop' user=ann")
        let fromKeywords = try ConnectionSettings(keywords: ["host": "db", "database": "my shop", "user": "ann"])

        #expect(fromText == fromKeywords)
        #expect(fromText.description == "dbname='my shop' host=db user=ann")
    }

    @Test func addsDefaultsThatTheCallerCanChange() throws {
        let settings = try ConnectionSettings("tcp_user_timeout=5 client_encoding=LATIN1")
        let parameters = Dictionary(uniqueKeysWithValues: settings.startParameters.map { ($0.keyword, $0.value) })

        #expect(parameters["tcp_user_timeout"] == "5")
        #expect(parameters["keepalives_idle"] == "30")
        #expect(parameters["fallback_application_name"] == "replhost")
        #expect(parameters["client_encoding"] == "UTF8")
    }

    @Test func neverShowsAPassword() throws {
        let settings = try ConnectionSettings(keywords: ["password": "geheim", "host": "db"])

        #expect(settings.description == "host=db password=***")
        #expect("\(settings)" == "host=db password=***")
        #expect(settings.redacted("failed with geheim") == "failed with ***")
    }

    @Test(arguments: [
        "password=my secret", "password=my secret=x host=db", "password='my secret", "postgres://u:my/secret@h/db",
        "postgres://u:%zzsecret@h/db", "postgres://u:12/secret@h/db", "host=db port=secret", "http://u:secret@h/db",
        "sslmode=secret", "connect_timeout=secret", "postgres://[secret", "postgres://u:secret@h:x/db?foo",
    ])
    func refusesWithoutQuotingWhatMayBeAPassword(text: String) throws {
        let error = try #require(throws: PostgresError.self) { try ConnectionSettings(text) }

        #expect(!"\(error) \(error.hint ?? "")".contains("secret"))
        #expect(!"\(error)".isEmpty)
    }

    @Test func namesAnUnknownKeywordWithTheKnownOnes() throws {
        let fromKeywords = try #require(throws: PostgresError.self) { try ConnectionSettings(keywords: ["hots": "db"]) }
        let fromText = try #require(throws: PostgresError.self) { try ConnectionSettings("sslmod=require") }
        let fromURL = try #require(throws: PostgresError.self) {
            try ConnectionSettings("postgres://h/db?sslmod=require")
        }

        guard case .unknownSetting("hots", let known) = fromKeywords else {
            return #expect(Bool(false), "\(fromKeywords)")
        }
        #expect(known.contains("host"))
        #expect(known.contains("database"))
        #expect(fromText == .unknownSetting(name: "sslmod", known: known))
        #expect(fromURL == fromText)
    }

    @Test func refusesValuesThatLibpqWouldRefuseLater() {
        #expect(throws: PostgresError.self) { try ConnectionSettings(keywords: ["port": "0"]) }
        #expect(throws: PostgresError.self) { try ConnectionSettings(keywords: ["port": "70000"]) }
        #expect(throws: PostgresError.self) { try ConnectionSettings(keywords: ["sslmode": "on"]) }
        #expect(throws: PostgresError.self) { try ConnectionSettings(keywords: ["host": "a\0b"]) }
        #expect(throws: Never.self) { try ConnectionSettings(keywords: ["host": "a,b", "port": "1,2"]) }
    }

    @Test func allowsTenSecondsForAnAddressUnlessTold() throws {
        #expect(ConnectionSettings().connectTimeout == .seconds(10))
        #expect(try ConnectionSettings("connect_timeout=3").connectTimeout == .seconds(3))
        #expect(try ConnectionSettings("connect_timeout=0").connectTimeout == nil)
    }
}
