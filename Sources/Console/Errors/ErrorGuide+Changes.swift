extension ErrorGuide {
    /// Following changes, and ending it.
    static let changes: [ErrorGuide] = [
        ErrorGuide(
            "RH3601",
            "The source's wal_level does not let changes be streamed.",
            "ALTER SYSTEM SET wal_level = logical and restart it, or set stream = false to copy once."),
        ErrorGuide(
            "RH3602",
            """
            The pipeline's replication slot is on the source, and the target knows nothing of it: it is another \
            target's, or left over.
            """,
            """
            Give the pipeline another name, or drop the slot if nobody uses it: SELECT \
            pg_drop_replication_slot('NAME').
            """),
        ErrorGuide(
            "RH3603",
            """
            The replication slot is gone from the source, or the target has no position: changes since then cannot \
            be had.
            """,
            "Begin anew: \"replhost drop\" forgets the pipeline; then empty the target's tables and run it."),
        ErrorGuide(
            "RH3604",
            "The replication slot with the pipeline's name has another plugin or is of another database.",
            "Give the pipeline another name, or drop the slot if nobody uses it."),
        ErrorGuide(
            "RH3605",
            "The source has invalidated the replication slot: log that was not streamed yet is removed.",
            "Begin anew, as the hint says. A larger max_slot_wal_keep_size keeps more log."),
        ErrorGuide(
            "RH3606",
            """
            The replication slot is further than the target, so changes between are lost: somebody else has read \
            from it, or the target was set back.
            """,
            "Begin anew, as the hint says, and let nobody else read from the slot."),
        ErrorGuide(
            "RH3607",
            "A row was updated or deleted, and nothing tells it from others in the target.",
            """
            Copy the columns of its replica identity, set REPLICA IDENTITY FULL on the source, or list the table \
            with rh.skip.
            """),
        ErrorGuide(
            "RH3608",
            """
            The source does not send changes, as the pipeline's publication was dropped before they were made: they \
            cannot be had.
            """,
            "Begin anew, as the hint says, and leave the publications replhost_… alone while their pipeline is there."),
        ErrorGuide(
            "RH3609",
            """
            What the source has sent does not fit together: a message is damaged, or a table was not described \
            before.
            """,
            "Start again. If it comes back, please report it with the message."),
        ErrorGuide(
            "RH3610",
            """
            A table has columns whose binary form does not fit source and target. The stream begins anew with text \
            by itself.
            """,
            "Nothing: it is not seen unless that fails, too."),
        ErrorGuide(
            "RH3611",
            "A table was truncated on the source, and its table in the target has rows of other tables, too.",
            "Delete its rows there by hand, then copy the table anew: replhost resnapshot."),
        ErrorGuide(
            "RH3612",
            "A table's columns have changed on the source, and the pipeline says to stop then.",
            "Change the target in the same way and start again, or set on_schema_change to \"apply\" or \"ignore\"."),
        ErrorGuide(
            "RH3613",
            "Tables of the source were made and dropped too fast for a copy to begin.",
            "Try again later."),
        ErrorGuide(
            "RH3614",
            "Changes wait, and nothing has been applied for a long time.",
            "See pg_stat_activity on the target for what the session of \"replhost\" waits for."),
        ErrorGuide(
            "RH3615",
            "A table was copied by a pipeline that did not follow changes, so changes since then are not known.",
            "Begin anew: \"replhost drop\" forgets the pipeline; then empty the target's tables and run it."),
        ErrorGuide(
            "RH3616",
            "A table's columns have changed on the source in a way that cannot be made in the target by itself.",
            "Change the target by hand and start again."),
        ErrorGuide(
            "RH3617",
            "The pipeline's \"where\" uses large values that do not come with each update.",
            "Set REPLICA IDENTITY FULL on the source, so that all columns come with each change."),
        ErrorGuide(
            "RH3618",
            "The pipeline was cut over, so it has nothing left to do.",
            "Nothing. To begin anew, forget it with \"replhost drop\"."),
        ErrorGuide(
            "RH3620",
            "The source is still being written, so a cut-over would lose changes.",
            "Stop the application first, or let --read-only end its sessions."),
        ErrorGuide(
            "RH3621",
            "There is no way back for tables whose rows in the target are not those of the source.",
            "Leave out --way-back: what functions make, or what comes from several tables, cannot be turned round."),
        ErrorGuide(
            "RH3622",
            "The database has prepared transactions, which may be committed after the cut-over.",
            "Commit them or roll them back: see pg_prepared_xacts."),
        ErrorGuide(
            "RH3623",
            "Sessions of the database were told to end, and do not.",
            "See pg_stat_activity for what they wait for."),
        ErrorGuide(
            "RH3624",
            "Another cut-over wants the pipeline at the same time; this one has given up, and left it as it was.",
            "Let one of them come to its end."),
        ErrorGuide(
            "RH3641",
            "tap reads the changes of the pipeline's publication, and the source has none yet.",
            "Run the pipeline first."),
        ErrorGuide(
            "RH3642",
            "The function on_schema_change has returned something else than an answer.",
            "Return \"apply\", \"stop\" or \"ignore\"."),
        ErrorGuide(
            "RH3643",
            "The function on_schema_change has raised an error.",
            "Mend it at the line that is shown."),
        ErrorGuide(
            "RH3644",
            "The source kept more log for the pipeline than its wal_budget, so its replication slot was dropped.",
            "Begin anew, as the hint says; raise wal_budget, or mend what held the stream up."),
        ErrorGuide(
            "RH3701",
            "A row that the source has changed or deleted is not in the target, or is there several times.",
            """
            See "replhost verify" for differences. If others write to the target, set on_conflict to "upsert" or \
            "skip".
            """),
        ErrorGuide(
            "RH3702",
            "A statement on several rows of the target has changed another number of them than it should.",
            "Look for what else writes to the target, and for triggers there: replhost verify."),
    ]
}
