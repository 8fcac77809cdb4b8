/// The five characters that classify a server error (PostgreSQL manual, appendix A).
package struct SQLState: Hashable, Sendable {
    /// The characters in the low 40 bits, first one highest.
    private let packed: UInt64

    /// Takes exactly five characters of `0-9A-Z`.
    package init?(_ code: some StringProtocol) {
        guard code.utf8.count == 5 else { return nil }
        var packed: UInt64 = 0
        for byte in code.utf8 {
            guard ASCII.isDigit(byte) || byte &- 0x41 < 26 else { return nil }
            packed = packed << 8 | UInt64(byte)
        }
        self.packed = packed
    }

    private init(literal: StaticString) {
        var packed: UInt64 = 0
        for index in 0..<literal.utf8CodeUnitCount { packed = packed << 8 | UInt64(literal.utf8Start[index]) }
        self.packed = packed
    }

    package var code: String { Self.text(packed, characters: 5) }

    /// The first two characters: `08` is connection trouble, `40` a rolled back transaction.
    package var classCode: String { Self.text(packed >> 24, characters: 2) }

    /// The session is gone, or will be with the next message, or never came to be.
    package var isConnectionDoubtful: Bool {
        switch self {
        case .adminShutdown, .crashShutdown, .cannotConnectNow, .idleSessionTimeout, .idleInTransactionSessionTimeout,
            .databaseDropped:
            true
        default:
            classCode == "08"
        }
    }

    /// The same transaction, run again from its start, may well succeed.
    package var isRetryable: Bool {
        self == .serializationFailure || self == .deadlockDetected
    }

    private static func text(_ packed: UInt64, characters: Int) -> String {
        String(unsafeUninitializedCapacity: characters) { buffer in
            for index in 0..<characters {
                buffer[index] = UInt8(truncatingIfNeeded: packed >> UInt64(8 * (characters - 1 - index)))
            }
            return characters
        }
    }
}

extension SQLState: CustomStringConvertible {
    package var description: String { code }
}

extension SQLState {
    package static let successfulCompletion = SQLState(literal: "00000")
    package static let connectionException = SQLState(literal: "08000")
    package static let connectionDoesNotExist = SQLState(literal: "08003")
    package static let connectionFailure = SQLState(literal: "08006")
    package static let cannotEstablishConnection = SQLState(literal: "08001")
    package static let connectionRejected = SQLState(literal: "08004")
    package static let protocolViolation = SQLState(literal: "08P01")
    package static let featureNotSupported = SQLState(literal: "0A000")
    package static let dataException = SQLState(literal: "22000")
    package static let stringDataRightTruncation = SQLState(literal: "22001")
    package static let numericValueOutOfRange = SQLState(literal: "22003")
    package static let invalidTextRepresentation = SQLState(literal: "22P02")
    package static let invalidBinaryRepresentation = SQLState(literal: "22P03")
    package static let badCopyFileFormat = SQLState(literal: "22P04")
    package static let invalidParameterValue = SQLState(literal: "22023")
    package static let integrityConstraintViolation = SQLState(literal: "23000")
    package static let notNullViolation = SQLState(literal: "23502")
    package static let foreignKeyViolation = SQLState(literal: "23503")
    package static let uniqueViolation = SQLState(literal: "23505")
    package static let checkViolation = SQLState(literal: "23514")
    package static let exclusionViolation = SQLState(literal: "23P01")
    package static let activeTransaction = SQLState(literal: "25001")
    package static let readOnlyTransaction = SQLState(literal: "25006")
    package static let noActiveTransaction = SQLState(literal: "25P01")
    package static let failedTransaction = SQLState(literal: "25P02")
    package static let idleInTransactionSessionTimeout = SQLState(literal: "25P03")
    package static let invalidStatementName = SQLState(literal: "26000")
    package static let invalidAuthorization = SQLState(literal: "28000")
    package static let invalidPassword = SQLState(literal: "28P01")
    package static let invalidCursorName = SQLState(literal: "34000")
    package static let invalidCatalogName = SQLState(literal: "3D000")
    package static let invalidSchemaName = SQLState(literal: "3F000")
    package static let serializationFailure = SQLState(literal: "40001")
    package static let statementCompletionUnknown = SQLState(literal: "40003")
    package static let deadlockDetected = SQLState(literal: "40P01")
    package static let insufficientPrivilege = SQLState(literal: "42501")
    package static let syntaxError = SQLState(literal: "42601")
    package static let undefinedColumn = SQLState(literal: "42703")
    package static let undefinedObject = SQLState(literal: "42704")
    package static let duplicateObject = SQLState(literal: "42710")
    package static let undefinedFunction = SQLState(literal: "42883")
    package static let undefinedTable = SQLState(literal: "42P01")
    package static let undefinedParameter = SQLState(literal: "42P02")
    package static let duplicateDatabase = SQLState(literal: "42P04")
    package static let duplicatePreparedStatement = SQLState(literal: "42P05")
    package static let duplicateTable = SQLState(literal: "42P07")
    package static let indeterminateDatatype = SQLState(literal: "42P18")
    package static let outOfMemory = SQLState(literal: "53200")
    package static let diskFull = SQLState(literal: "53100")
    package static let tooManyConnections = SQLState(literal: "53300")
    package static let programLimitExceeded = SQLState(literal: "54000")
    package static let objectNotInPrerequisiteState = SQLState(literal: "55000")
    package static let objectInUse = SQLState(literal: "55006")
    package static let lockNotAvailable = SQLState(literal: "55P03")
    package static let queryCanceled = SQLState(literal: "57014")
    package static let adminShutdown = SQLState(literal: "57P01")
    package static let crashShutdown = SQLState(literal: "57P02")
    package static let cannotConnectNow = SQLState(literal: "57P03")
    package static let databaseDropped = SQLState(literal: "57P04")
    package static let idleSessionTimeout = SQLState(literal: "57P05")
    package static let undefinedFile = SQLState(literal: "58P01")
    package static let raiseException = SQLState(literal: "P0001")
    package static let internalError = SQLState(literal: "XX000")
}
