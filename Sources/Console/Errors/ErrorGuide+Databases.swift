extension ErrorGuide {
    /// Rows, queries and connections.
    static let databases: [ErrorGuide] = [
        ErrorGuide(
            "RH2101",
            "The value of a column cannot be read as a value of its type.",
            "Select it as text (column::text), and look at what the message says about the value."),
        ErrorGuide(
            "RH2104",
            "There is no column of that name or number in the row, the table, or what is written.",
            "Use one of the columns that the hint lists; names are as the server has them, case and all."),
        ErrorGuide(
            "RH2105",
            """
            A table is not there, or a query had another number of rows than the call expects (as result:one() \
            does).
            """,
            "Check the table's name and schema. For queries add a condition or LIMIT 1, or go through the rows."),
        ErrorGuide(
            "RH2106",
            "A row was read after its finalizer had run.",
            "Keep a copy, row:copy(), or its values, row:totable()."),
        ErrorGuide(
            "RH2108",
            "rh.null, which stands for NULL inside arrays and for JSON's null, was used as if it were a value.",
            "Compare it first: if row.x == rh.null then …"),
        ErrorGuide(
            "RH2201",
            "The server has refused a statement; its own message, detail and SQLSTATE follow.",
            "Mend the statement by them. error.sqlstate and error.retryable tell a script what to do."),
        ErrorGuide(
            "RH2202",
            "A connection could not be made.",
            "Check host, port, database, user, password and the server's pg_hba.conf and log."),
        ErrorGuide(
            "RH2203",
            """
            A connection was lost while it was in use; a transaction that was open is rolled back, unless its COMMIT \
            was under way.
            """,
            "Connect anew and repeat the transaction. The server's log tells of crashes and ended sessions."),
        ErrorGuide(
            "RH2204",
            "The server did not do something in the time it was given.",
            "Raise the timeout, or see pg_stat_activity for what the statement waits for."),
        ErrorGuide(
            "RH2205",
            "A statement, or a wait for a connection, was cancelled.",
            "Nothing, if it was meant; otherwise look for what cancels it."),
        ErrorGuide(
            "RH2206",
            "A result is larger than the memory that the script may use.",
            "Stream its rows (conn:rows) instead of collecting them, or select fewer."),
        ErrorGuide(
            "RH2207",
            "A connection setting is unknown or has an invalid value, or on_connect has failed.",
            "Check the connection string and the options by the message."),
        ErrorGuide(
            "RH2208",
            """
            A statement's parameters do not fit: another number than it has, or a value that one of them cannot \
            take.
            """,
            "Give one value for each $1, $2, …, of the parameter's type."),
        ErrorGuide(
            "RH2209",
            """
            The connection cannot do this in its present state: it is in use or closed, its transaction or its \
            pipeline of statements has failed, or the answer was not what was asked for.
            """,
            "Read the message; end the transaction, or use another connection."),
        ErrorGuide(
            "RH2210",
            "Data in COPY format, or a column's value in it, cannot be read or written.",
            """
            Check the row or the column that the message names; a source that sends damaged data has to be looked \
            into.
            """),
        ErrorGuide(
            "RH2211",
            "conn:copy_in was given something that is not a table's name.",
            "Write \"schema.table\"; names with other characters go in double quotes."),
        ErrorGuide(
            "RH2212",
            "A COPY writer was used after it was closed.",
            "Write all rows before close(), and open a new one for more."),
        ErrorGuide(
            "RH2213",
            "A value cannot be written as the column's type.",
            "Convert it, or set the column to a value of its type."),
        ErrorGuide(
            "RH2301",
            "No connection of the pool became free in time, or too many wait for one already.",
            "Return connections sooner (local c <close> = pool:getconn()), or raise \"max\" or \"timeout\"."),
        ErrorGuide(
            "RH2302",
            "The pool's server refuses connections or cannot be reached; or there is no connection to work on.",
            """
            Check the server and the connection string. A pool recovers by itself. At the prompt, connect with \\c \
            DSN.
            """),
        ErrorGuide(
            "RH2303",
            "Tasks wait for connections that only these tasks could give back.",
            "Use one connection for both, return the first before asking for the second, or raise \"max\"."),
        ErrorGuide(
            "RH2304",
            "The pool was closed, and with it the connections it had given out.",
            "Close a pool only after all of its work is done."),
        ErrorGuide(
            "RH2305",
            """
            A connection was used or returned that is not borrowed any more, or returned to a pool that it is not \
            of.
            """,
            "Borrow again with pool:getconn(), and return each connection once, to its own pool."),
        ErrorGuide(
            "RH2306",
            "An option of a pool, or of a function on pools and connections, is unknown or has an invalid value.",
            "Use what the message or the hint names."),
    ]
}
