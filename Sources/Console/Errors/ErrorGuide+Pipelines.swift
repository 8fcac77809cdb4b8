extension ErrorGuide {
    /// What a pipeline file says, its functions, and how its tables fit together.
    static let pipelines: [ErrorGuide] = [
        ErrorGuide(
            "RH3101",
            "A pipeline's options are wrong: one is unknown, missing, of the wrong kind, or contradicts another.",
            "Mend the option that the message names, by its place in the file."),
        ErrorGuide(
            "RH3104",
            "The file returned a list in which something is no pipeline.",
            "Return one pipeline, or a list of pipelines."),
        ErrorGuide(
            "RH3106",
            "Two pipelines of a file have the same name, which their progress is kept under.",
            "Give each its own name."),
        ErrorGuide(
            "RH3107",
            "A pipeline was returned without its options.",
            "Write rh.pipeline \"name\" { source = …, sink = …, tables = … }."),
        ErrorGuide(
            "RH3108",
            "The file declares a pipeline and returns nothing: nothing would be run.",
            "Return it: return rh.pipeline \"name\" { … }, or a list of several."),
        ErrorGuide(
            "RH3110",
            "A worker has loaded the file again, and it did not return the same pipeline.",
            "Make what the file returns depend on nothing that changes, as time or random numbers."),
        ErrorGuide(
            "RH3112",
            """
            A test names a file or a table that cannot be used: it does not load, returns no pipeline, or the \
            pipeline has nothing for the table.
            """,
            "Check the path, the name (\"schema.table\") and the pipeline's \"tables\"."),
        ErrorGuide(
            "RH3113",
            "A test's expectation was not met.",
            "Compare what the message shows with what was expected; mend the function or the test."),
        ErrorGuide(
            "RH3200",
            "The work that a function was part of has failed for a reason outside of the function.",
            "Look at the reason in the message: it is mostly the database's."),
        ErrorGuide(
            "RH3201",
            "A transform has raised an error.",
            """
            Mend it at the line that is shown, or let dead letters take such rows (on_error). --show-values shows \
            the row.
            """),
        ErrorGuide(
            "RH3202",
            "A transform has returned a row that is not of its table.",
            "Return rows of queries and of other tables as tables: row:totable()."),
        ErrorGuide(
            "RH3203",
            "A transform has returned nothing.",
            "Return the row, or rh.drop to leave it out. Is a \"return\" missing on some way through it?"),
        ErrorGuide(
            "RH3204",
            "A transform has returned something that is no row, or more than one value.",
            "Return the row, a table, rh.drop, rh.to(table, row), or a list of these."),
        ErrorGuide(
            "RH3205",
            "An event was asked for something that it does not have, or not here.",
            "Use the fields that the message or the hint names."),
        ErrorGuide(
            "RH3206",
            "transform_batch has returned a value.",
            "Return nothing: change the rows of the batch, or use batch:drop and batch:emit."),
        ErrorGuide(
            "RH3207",
            "rh.to names a table that is not a valid name, or that is not known.",
            """
            Write "schema.table"; names with other characters go in double quotes. The table has to be in the \
            target.
            """),
        ErrorGuide(
            "RH3208",
            "batch:drop was given something that is not a row of its batch.",
            "Give it a row that came from this batch."),
        ErrorGuide(
            "RH3209",
            "rh.state was used outside of a transform; its values are committed with the rows of a chunk.",
            "Use it in transforms only."),
        ErrorGuide(
            "RH3210",
            "state:incr would add to something that is not an integer, or go beyond the range of integers.",
            "Keep one kind of value under a key; begin a counter with state:incr."),
        ErrorGuide(
            "RH3211",
            "A row was used after its transform had returned, when its memory serves the next one.",
            "Keep a copy, row:copy(), or its values, row:totable()."),
        ErrorGuide(
            "RH3212",
            """
            A value was used that the source has not sent (rh.unchanged): updates leave out large values that stay \
            the same, deletes all but the key.
            """,
            "Compare with rh.unchanged first, or set REPLICA IDENTITY FULL on the source."),
        ErrorGuide(
            "RH3213",
            """
            A function has returned a changed row without all columns of the target's key, so it is not clear which \
            row to change.
            """,
            "Leave the key's columns in the row."),
        ErrorGuide(
            "RH3302",
            "Nothing in the source matches the pipeline's \"tables\".",
            "Check names and patterns (\"public.*\"), and what the source's user may see."),
        ErrorGuide(
            "RH3303",
            "What the rows are to go to is in the target, but is no table.",
            "Name another table with \"to\"."),
        ErrorGuide(
            "RH3304",
            "A column of the source has no column in the target's table.",
            "Add it there, or list in \"columns\" what is to be copied, with new names as { old = \"new\" }."),
        ErrorGuide(
            "RH3305",
            "A column that is to be written is generated by the target.",
            "Leave it out: \"columns\" lists what is copied."),
        ErrorGuide(
            "RH3306",
            "on_conflict needs a key in the target's table, and it has none.",
            "Add a primary key, or a unique index over columns that are NOT NULL."),
        ErrorGuide(
            "RH3308",
            "The target has no such table, and create = false forbids making it.",
            "Create it, or leave \"create\" out."),
        ErrorGuide(
            "RH3309",
            "The target's table has rows already, and the pipeline does not say what becomes of them.",
            "Empty it, or set on_conflict to \"upsert\" or \"skip\"."),
        ErrorGuide(
            "RH3314",
            """
            What was copied of a table is of no use: it was rewritten or truncated meanwhile, or parts of it show \
            different moments that contradict each other.
            """,
            "Run the command again, at a time when nobody rewrites the table; the table is copied anew."),
    ]
}
