import PostgresProtocol
import Testing

@testable import Postgres

@Suite struct ReplicationCommandTests {
    @Test func slotsAreMadeInTheFormThatAllServersKnow() {
        #expect(
            ReplicationCommand.createSlot("shop", isTemporary: false, exportsSnapshot: true)
                == "CREATE_REPLICATION_SLOT \"shop\" LOGICAL pgoutput EXPORT_SNAPSHOT")
        #expect(
            ReplicationCommand.createSlot("shop", isTemporary: true, exportsSnapshot: false)
                == "CREATE_REPLICATION_SLOT \"shop\" TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT")
        #expect(ReplicationCommand.dropSlot("a\"b", waiting: true) == "DROP_REPLICATION_SLOT \"a\"\"b\" WAIT")
    }

    @Test func publicationsAreQuotedTwice() {
        let request = StreamRequest(
            slot: "shop", start: LSN(0x16_B374_D848), publications: ["Orders", "it's \"odd\" \\"], isBinary: false)

        #expect(
            ReplicationCommand.start(request)
                == "START_REPLICATION SLOT \"shop\" LOGICAL 16/B374D848 (proto_version '1', publication_names "
                + "'\"Orders\",\"it''s \"\"odd\"\" \\\"', binary 'false', messages 'true')")
    }
}
