extension ErrorGuide {
    /// Lua code and its limits.
    static let scripts: [ErrorGuide] = [
        ErrorGuide(
            "RH1000",
            """
            The script has raised an error of its own: error(…), a failed assert, or what Lua itself complains \
            about.
            """,
            "Mend the script at the line that is shown, or catch what it raises with pcall."),
        ErrorGuide(
            "RH1001",
            "A function was called with an argument of the wrong kind, or without one that it needs.",
            "Give what the message expects. Within the Lua API, editors check this by the definition files."),
        ErrorGuide(
            "RH1002",
            "A method was called on something that is not its object, mostly with a dot instead of a colon.",
            "Write object:method(…)."),
        ErrorGuide(
            "RH1003",
            "Lua's stack has no room for the values that a call hands over.",
            "Hand them over in a table, or in smaller parts."),
        ErrorGuide(
            "RH1004",
            "A value was concatenated that cannot be part of a text.",
            "Make a text of it first with tostring, and check it for nil."),
        ErrorGuide(
            "RH1005",
            "There was no memory to start Lua.",
            "Free memory, or run fewer workers."),
        ErrorGuide(
            "RH1006",
            "The standard library in Lua was not found, or could not be loaded.",
            "Keep the folder \"stdlib\" of the same version beside the executable, or above it."),
        ErrorGuide(
            "RH1007",
            "The script's file cannot be opened.",
            "Check the path and its permissions."),
        ErrorGuide(
            "RH1008",
            "An object of the API, or a result, has no field or method of that name.",
            "Use the name that the message suggests. A result's columns belong to its rows: result[1].name."),
        ErrorGuide(
            "RH1100",
            "The text is not valid Lua, so nothing of it was run.",
            "Mend the syntax at the line that the message names."),
        ErrorGuide(
            "RH1201",
            "Lua code has run for longer than the time limit without waiting for anything.",
            "Look for a loop without end. Call rh.sleep(0) in long work, or raise the limit: --limits time=60s."),
        ErrorGuide(
            "RH1202",
            "The work was interrupted: by Ctrl-C, a signal, or because the run is being stopped.",
            "Start it again if it was not meant to end. What was committed stays."),
        ErrorGuide(
            "RH1203",
            "The task was cancelled by the script, or ended because others of its group or the script did.",
            "Nothing, if it was meant. Otherwise look for what cancels it."),
        ErrorGuide(
            "RH1204",
            "os.exit was called; this ends the script from wherever it is.",
            "Nothing: it is not a fault, and pcall does not hold it back."),
        ErrorGuide(
            "RH1205",
            "The script has used up its memory limit.",
            "Stream large results (conn:rows), keep less in tables, or raise the limit: --limits memory=1GB."),
        ErrorGuide(
            "RH1206",
            "Calls are nested too deeply, mostly because a function calls itself without end.",
            "Look at the calls below the error, and give the recursion an end."),
        ErrorGuide(
            "RH1207",
            """
            The script was to stop and did not: it was inside a C function or a finalizer that cannot be \
            interrupted. The process has ended itself.
            """,
            """
            Start again: what was committed stays. Look for slow work in __gc, or in a single call on very long \
            texts.
            """),
        ErrorGuide(
            "RH1208",
            "The system had no memory left, and the process has ended itself.",
            "Free memory, run fewer workers, or set a lower limit: --limits memory=…."),
        ErrorGuide(
            "RH1301",
            """
            Something that waits (a query, a sleep) was called inside a function that Lua's own code calls, as \
            table.sort does, and that cannot wait.
            """,
            "Do what waits before or after that call, and give it the results."),
        ErrorGuide(
            "RH1302",
            "Something that waits was called where there is no task to wait.",
            "Call it in the script's main part or in a task (rh.spawn)."),
        ErrorGuide(
            "RH1303",
            "A task that is being stopped has tried to wait once more.",
            "Keep clean-up code (<close>, __close) free of what waits."),
        ErrorGuide(
            "RH1304",
            "Tasks wait for each other, or a task for itself, so that none could ever go on.",
            "Check that each channel:receive() has a sender, and that no task waits for itself."),
        ErrorGuide(
            "RH1305",
            "A task, or a function that the host has called, took longer than it was given.",
            "Raise the timeout, or find out what it waits for."),
        ErrorGuide(
            "RH1306",
            "A waiter was waited for a second time.",
            "Make a new waiter for each wait."),
        ErrorGuide(
            "RH1307",
            "The host wanted to call a function of a script that has ended already.",
            "Keep the script running for as long as its functions are needed."),
        ErrorGuide(
            "RH1401",
            """
            A function of the value modules cannot make its result from these values, or a table is nested too \
            deeply or in a cycle to be copied to a worker.
            """,
            "Check the values that the message speaks of; break up the cycle."),
        ErrorGuide(
            "RH1402",
            "An operator does not take these operands, or a value cannot be copied to another worker.",
            """
            Convert the values first. To workers go numbers, strings, booleans, decimals and tables of them \
            (row:totable()).
            """),
        ErrorGuide(
            "RH1501",
            "A metric's name is taken by one of another kind, or by a histogram with other buckets.",
            "Give it another name: one name is one metric in all workers of a process."),
        ErrorGuide(
            "RH1502",
            "A metric has got too many combinations of labels; each of them is kept in memory.",
            "Use labels for what has few values, such as the names of tables, and not for keys of rows."),
    ]
}
