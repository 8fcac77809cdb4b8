import PostgresProtocol
import Testing

struct JSONTextTests {
    @Test func whatIsSpecialInStringsIsEscaped() {
        #expect(JSONText.string("a \"b\" \\ \n\t\r\u{1}\u{7F} ž/") == #""a \"b\" \\ \n\t\r\u0001\u007f ž/""#)
        #expect(JSONText.string(nil) == "null")
    }

    @Test func rowsAreObjectsOfTexts() {
        #expect(JSONText.row([("id", "7"), ("a\"b", nil)]) == #"{"id": "7", "a\"b": null}"#)
        #expect(JSONText.row([]) == "{}")
    }
}
