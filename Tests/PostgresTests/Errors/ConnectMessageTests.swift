import Testing

@testable import Postgres

struct ConnectMessageTests {
    @Test func takesTheSQLSTATEOutOfAVerboseMessage() {
        let message = ConnectMessage(
            libpqMessage: """
                connection to server at "db", port 5432 failed: FATAL:  28P01: password authentication failed for user "x"
                LOCATION:  auth_failed, auth.c:338

                """)

        #expect(message.sqlstate == "28P01")
        #expect(
            message.reason
                == "connection to server at \"db\", port 5432 failed: FATAL:  password authentication failed for user \"x\""
        )
    }

    @Test func keepsEveryHostOfAMessage() {
        let message = ConnectMessage(
            libpqMessage: """
                connection to server at "a" failed: Connection refused
                \tIs the server running on that host and accepting TCP/IP connections?
                connection to server at "b" failed: FATAL:  3D000: database "y" does not exist
                """)

        #expect(message.sqlstate == "3D000")
        #expect(message.reason.split(separator: ";").count == 3)
    }

    @Test(arguments: ["", "\n", "FATAL:  abcde: x", "FATAL:  28P0", "FATAL:  "])
    func findsNoSQLSTATEWhereThereIsNone(text: String) {
        #expect(ConnectMessage(libpqMessage: text).sqlstate == nil)
    }
}
