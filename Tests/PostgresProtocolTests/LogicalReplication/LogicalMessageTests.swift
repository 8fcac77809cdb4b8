import PostgresProtocol
import Testing

@Suite struct LogicalMessageTests {
    @Test func transactionsBeginAndCommit() throws {
        guard case .begin(let begin) = try Decoded(GoldenMessage.begin).message,
            case .commit(let commit) = try Decoded(GoldenMessage.commit).message
        else { throw WrongKind() }

        #expect(begin.finalLSN == LSN("0/16B3748"))
        #expect(begin.commitTime == 0x2_A1B2_C3D4_E5F6)
        #expect(begin.xid == 753)
        #expect(commit.commitLSN == begin.finalLSN)
        #expect(commit.endLSN == LSN("0/16B3778"))
        #expect(commit.commitTime == begin.commitTime)
    }

    @Test func originsHaveAName() throws {
        guard case .origin(let origin) = try Decoded(GoldenMessage.origin).message else { throw WrongKind() }

        #expect(origin.commitLSN == LSN("A/28"))
        #expect(origin.name == "node \"å\"")
    }

    @Test func relationsListTheirColumns() throws {
        guard case .relation(let relation) = try Decoded(GoldenMessage.relation).message else { throw WrongKind() }

        #expect(relation.relation == OID(16385))
        #expect(relation.name == QualifiedName(schema: "public", name: "orders"))
        #expect(relation.identity == .primaryKey)
        #expect(relation.columns.map(\.name) == ["id", "note", "amount"])
        #expect(relation.columns.map(\.isKey) == [true, false, false])
        #expect(relation.columns.map(\.type) == [.int8, .text, OID(1700)])
        #expect(relation.columns.map(\.modifier) == [-1, -1, 655366])
    }

    @Test func anEmptySchemaIsTheCatalog() throws {
        guard case .type(let type) = try Decoded(GoldenMessage.type).message else { throw WrongKind() }

        #expect(type.type == OID(16389))
        #expect(type.name == QualifiedName(schema: "pg_catalog", name: "mood"))
    }

    @Test func rowsKeepKindAndBytesOfEachColumn() throws {
        let row = ["binary 000000000000002a", "text 6869", "null "]
        let unchanged = ["binary 000000000000002a", "unchanged ", "binary "]
        let key = ["binary 0000000000000029", "null ", "null "]

        #expect(try Decoded(GoldenMessage.insert).new == row)
        #expect(try Decoded(GoldenMessage.updateWithoutOld).new == unchanged)
        #expect(try Decoded(GoldenMessage.updateWithoutOld).old == [])
        #expect(try Decoded(GoldenMessage.updateOfKey).old == key)
        #expect(try Decoded(GoldenMessage.updateOfKey).new == row)
        #expect(try Decoded(GoldenMessage.updateOfFullRow).old == row)
        #expect(try Decoded(GoldenMessage.updateOfFullRow).new == unchanged)
        #expect(try Decoded(GoldenMessage.deleteByKey).old == key)
        #expect(try Decoded(GoldenMessage.deleteByFullRow).old == row)
    }

    @Test func oldRowsAreKeysOrWhole() throws {
        guard case .update(let update) = try Decoded(GoldenMessage.updateOfKey).message,
            case .delete(let delete) = try Decoded(GoldenMessage.deleteByFullRow).message,
            case .key(let key) = update.old, case .full(let row) = delete.old
        else { throw WrongKind() }

        #expect(update.relation == OID(16385))
        #expect(key.offset == 8 && key.byteCount == 15 && key.columnCount == 3)
        #expect(row.offset == 8 && row.byteCount == 21 && row.columnCount == 3)
    }

    @Test func truncatesNameAllTheirTables() throws {
        guard case .truncate(let truncate) = try Decoded(GoldenMessage.truncate).message else { throw WrongKind() }

        #expect(truncate.cascades && truncate.restartsIdentity)
        #expect(truncate.relations == [OID(16385), OID(16391)])
    }

    @Test func emittedMessagesKeepTheirContent() throws {
        guard case .message(let message) = try Decoded(GoldenMessage.message).message else { throw WrongKind() }

        #expect(message.isTransactional)
        #expect(message.lsn == LSN("0/16B3748"))
        #expect(message.prefix == "replhost")
        #expect(Array(GoldenMessage.message[message.content]) == Array("ping".utf8))
    }

    @Test func everyTruncationIsAnError() {
        for golden in GoldenMessage.all {
            for length in golden.indices {
                #expect(throws: LogicalMessageError.self) { try Decoded(Array(golden[..<length])) }
            }
        }
    }

    @Test func everyExcessByteIsAnError() {
        for golden in GoldenMessage.all {
            #expect(throws: LogicalMessageError.self) { try Decoded(golden + [0]) }
        }
    }

    @Test func noDamagedByteIsReadOutOfBounds() {
        for golden in GoldenMessage.all {
            for index in golden.indices {
                for value in UInt8.min...UInt8.max {
                    var bytes = golden
                    bytes[index] = value
                    _ = try? Decoded(bytes)
                }
            }
        }
    }
}

@Suite struct LogicalMessageErrorTests {
    private func complaint(_ bytes: [UInt8]) -> String {
        do {
            _ = try Decoded(bytes)
            return "none"
        } catch {
            return error.description
        }
    }

    @Test func truncationNamesTheField() {
        #expect(
            complaint(Array(GoldenMessage.begin.prefix(4)))
                == "truncated Begin message: field \"final_lsn\" needs 8 bytes, 3 left")
        #expect(
            complaint(Array(GoldenMessage.insert.dropLast(2)))
                == "truncated Insert message: field \"column 2\" needs 2 bytes, 1 left")
        #expect(
            complaint(Array(GoldenMessage.origin.dropLast()))
                == "truncated Origin message: field \"name\" has no end")
        #expect(complaint([]) == "truncated logical replication message: field \"type\" needs 1 byte, 0 left")
    }

    @Test func damageNamesTheField() {
        #expect(
            complaint(GoldenMessage.commit + [1, 2]) == "damaged Commit message: 2 bytes after its last field")
        #expect(
            complaint(hex("43 07")) == "damaged Commit message: field \"flags\" is 7, expected 0")
        #expect(
            complaint(hex("49 00004001 4f")) == "damaged Insert message: field \"tuple_kind\" is 0x4f")
        #expect(
            complaint(hex("49 00004001 4e ffff"))
                == "damaged Insert message: field \"column_count\" is -1")
        #expect(
            complaint(hex("49 00004001 4e 7fff"))
                == "damaged Insert message: field \"column_count\" is 32767")
        #expect(
            complaint(hex("49 00004001 4e 0001 74 fffffffe"))
                == "damaged Insert message: field \"column 1\" has length -2")
        #expect(
            complaint(hex("49 00004001 4e 0001 78"))
                == "damaged Insert message: field \"column 1\" has kind 0x78")
        #expect(
            complaint(hex("54 ffffffff 00 00004001"))
                == "damaged Truncate message: field \"relation_count\" is 4294967295, 4 bytes left")
        #expect(
            complaint(hex("4f 0000000000000000 ff00"))
                == "damaged Origin message: field \"name\" is not UTF-8")
        #expect(
            complaint(hex("4d 00 0000000000000000 00 ffffffff"))
                == "damaged Message message: field \"content_length\" is -1")
    }

    @Test func laterProtocolsAreRefused() {
        #expect(
            complaint(hex("53 000002f1 01"))
                == "Stream Start message of logical replication protocol 2, expected protocol 1")
        #expect(
            complaint(hex("50")) == "Prepare message of logical replication protocol 3, expected protocol 1")
        #expect(complaint(hex("58")) == "unknown logical replication message of type \"X\"")
        #expect(complaint(hex("00")) == "unknown logical replication message of type 0x0")
    }
}

struct WrongKind: Error {}
