extension ErrorGuide {
    /// Running pipelines, and what check finds.
    static let runs: [ErrorGuide] = [
        ErrorGuide(
            "RH3401",
            "Another process runs this pipeline.",
            "Wait for it or stop it. If it is gone, end its session on the target: SELECT pg_terminate_backend(pid)."),
        ErrorGuide(
            "RH3402",
            "The pipeline was begun with another source than it names now.",
            """
            Go on with the old source, give the pipeline another name, or forget its progress with "replhost drop".
            """),
        ErrorGuide(
            "RH3403",
            "A chunk was copied by somebody else meanwhile, so it was not committed twice.",
            "Let only one replhost work on the pipeline."),
        ErrorGuide(
            "RH3404",
            "A table was copied to one table of the target, and the pipeline now names another.",
            "Take \"to\" back, or copy it anew: replhost resnapshot FILE TABLE."),
        ErrorGuide(
            "RH3405",
            "A table without key, whose rows are written with different columns, cannot be compared.",
            "Name columns that tell rows apart with the option \"key\"."),
        ErrorGuide(
            "RH3406",
            "A dead letter is of a table for which the pipeline has no function any more.",
            "Add the function again, or remove the letters: replhost dlq purge."),
        ErrorGuide(
            "RH3407",
            "The target's table has rows of other tables, too, so the rows of one cannot be copied anew.",
            "Set on_conflict = \"upsert\": rows are then replaced by their key."),
        ErrorGuide(
            "RH3408",
            "An argument of the command is no table's name.",
            "Write schema.table; names with other characters go in double quotes."),
        ErrorGuide(
            "RH3409",
            "The file returns several pipelines, and the command works on one.",
            "Give the pipeline a file of its own."),
        ErrorGuide(
            "RH3410",
            "Sessions of an earlier run are still at work on the target, and could not be ended.",
            "End them there: SELECT pg_terminate_backend(pid)."),
        ErrorGuide(
            "RH3411",
            "A table of the target cannot be emptied: foreign keys refer to it, and the user may not turn them off.",
            """
            GRANT SET ON PARAMETER session_replication_role TO the user (PostgreSQL 15 on), or drop the foreign keys \
            for the time.
            """),
        ErrorGuide(
            "RH3412",
            "A dead letter was delivered or removed by somebody else while it was being retried.",
            "Nothing: it was not delivered twice."),
        ErrorGuide(
            "RH3413",
            "verify waits for the stream to pass a place in the source's log, and it has not got there.",
            "See \"replhost status\" for whether the stream runs, and verify once more."),
        ErrorGuide(
            "RH3414",
            "A cut-over was asked for a pipeline that does not follow changes yet.",
            "Run the pipeline first, until it is copied and streams."),
        ErrorGuide(
            "RH3501",
            "check: a name or pattern in \"tables\" matches no table of the source.",
            "Take it out, or mend it."),
        ErrorGuide(
            "RH3502",
            "check: a table has no key, so a copy of it that was killed begins anew.",
            "Add a primary key."),
        ErrorGuide(
            "RH3503",
            "check: the source's user may not read a table.",
            "GRANT SELECT on it."),
        ErrorGuide(
            "RH3504",
            "check: the target's user may not write a table.",
            "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE on it."),
        ErrorGuide(
            "RH3505",
            "check: the target's user may not make tables in a schema.",
            "GRANT CREATE ON SCHEMA (for a new schema ON DATABASE), or make the tables yourself."),
        ErrorGuide(
            "RH3506",
            "check: a column of the target is NOT NULL, has no default, and gets no value.",
            "Give it a default, or set it in a transform."),
        ErrorGuide(
            "RH3507",
            """
            check: a column has different types in source and target. Values go over as text, and the target judges \
            them.
            """,
            "Nothing, if all values fit; otherwise change a type, or convert in a transform."),
        ErrorGuide(
            "RH3508",
            "check: after the transform, rows of the sample have the same key.",
            "Use a mask that keeps values distinct (rh.mask.unique tells which do)."),
        ErrorGuide(
            "RH3509",
            "check: a server is older than PostgreSQL 14.",
            "Use a newer server."),
        ErrorGuide(
            "RH3510",
            "check: the user may not turn off triggers and foreign keys, so they fire for each row.",
            "GRANT SET ON PARAMETER session_replication_role TO the target's user, or accept that they do."),
        ErrorGuide(
            "RH3511",
            "check: part of a table's definition is not made in the target.",
            "See whether you need it, and make it by hand."),
        ErrorGuide(
            "RH3512",
            "check: a pool has fewer connections than the workers, or those that write changes, need.",
            "Raise the pool's \"max\": one more than workers, two more than \"connections\" of \"apply\"."),
        ErrorGuide(
            "RH3513",
            "check: the code uses a name that nothing defines; it is nil.",
            "Mend the spelling, or define it."),
        ErrorGuide(
            "RH3514",
            "check: the code sets a global variable, which all code of the file shares.",
            "Write \"local\" before its first use."),
        ErrorGuide(
            "RH3515",
            "check: a table has no replica identity, so only its inserts are followed.",
            "Give it a primary key, or set REPLICA IDENTITY FULL on the source."),
        ErrorGuide(
            "RH3516",
            "check: changes of a table come without columns of the target's key.",
            "Set REPLICA IDENTITY FULL on the source, or name another key with \"key\"."),
        ErrorGuide(
            "RH3517",
            "check: the source has no free replication slot.",
            "Drop one that nobody needs, or raise max_replication_slots and restart that server."),
    ]
}
