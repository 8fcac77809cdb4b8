extension ErrorGuide {
    /// The program itself, the prompt and commands.
    static let console: [ErrorGuide] = [
        ErrorGuide(
            "RH0101",
            "The command line is wrong: an option, a value or an argument is unknown or missing. Nothing was done.",
            "Write it as the usage shows; \"replhost COMMAND --help\" tells of all options."),
        ErrorGuide(
            "RH0102",
            "Standard input could not be read; the system's reason is in the message.",
            "Check what the program's input is redirected from."),
        ErrorGuide(
            "RH0103",
            "Standard output could not be written to its end: some of what was printed is lost.",
            "Check the room on the disk, or the program that reads the output."),
        ErrorGuide(
            "RH0111",
            "The address that --listen names cannot be had: its port is taken, or it is none of this machine's.",
            "Choose another port, or 0 for any that is free; \"ss -ltnp\" tells who has one."),
        ErrorGuide(
            "RH0112",
            "The file of --token-file cannot be read, may be read by others, or does not hold one word.",
            "Make it with: (umask 077; openssl rand -hex 32 > FILE)"),
        ErrorGuide(
            "RH0113",
            "--listen shows pipelines, and the script returned none.",
            "End the file with: return rh.pipeline \"name\" { source = …, sink = …, tables = … }"),
        ErrorGuide(
            "RH0121",
            "No run of this user on this machine has that script, pipeline or process id.",
            "\"replhost top\" lists what runs; \"replhost status FILE\" tells how far one is that does not."),
        ErrorGuide(
            "RH0122",
            "Several runs are under way, and it is not said which one is meant.",
            "Name one by its file, a pipeline or its process id."),
        ErrorGuide(
            "RH0123",
            "The run's script came from standard input or the command line, so it cannot be loaded once more.",
            "\"replhost top\" shows what the run does."),
        ErrorGuide(
            "RH0131",
            "init was given something that cannot be the name of a Lua file.",
            "Give a name that ends in .lua, or a folder."),
        ErrorGuide(
            "RH0132",
            "A file that init would write is there already; nothing was written.",
            "Name another file, or replace it with --force."),
        ErrorGuide(
            "RH0201",
            "A sandbox could not be listed, made, started, stopped or removed; the message tells why.",
            "Do what the hint says. \"replhost sandbox list\" shows the state of each."),
        ErrorGuide(
            "RH0301",
            "The prompt has no command of that name.",
            "\\? lists the commands. SQL and Lua need no backslash."),
        ErrorGuide(
            "RH0302",
            "A command of the prompt was written with wrong arguments.",
            "Write it as the hint shows; \\? lists all commands."),
        ErrorGuide(
            "RH0303",
            "The catalog of the connection has no table, view or other relation of that name.",
            "Check the spelling and the schema; \\d lists the relations that are there."),
        ErrorGuide(
            "RH0304",
            "A file that a command of the prompt names cannot be opened.",
            "Check the path and its permissions. \"~/\" is your home directory."),
        ErrorGuide(
            "RH0305",
            "The editor that \\e starts could not be run, or ended with an error.",
            "Set $EDITOR to an editor that is installed."),
        ErrorGuide(
            "RH0306",
            """
            The file with the definitions of the Lua API is not in the standard library, so there is no help on \
            names.
            """,
            "Keep the folder \"stdlib\" complete beside the executable, or above it."),
        ErrorGuide(
            "RH0307",
            "The help knows no Lua name like this one.",
            "Check the spelling; completion (Tab) shows the names that there are."),
        ErrorGuide(
            "RH0311",
            "\\tap shows changes of the pipelines of the session's file, and there are none.",
            "Begin the session with the file: replhost repl FILE, or replhost attach."),
        ErrorGuide(
            "RH0312",
            "What \\tap is to try is no Lua function.",
            "Write function(row) … return row end, or the name of a function."),
        ErrorGuide(
            "RH0313",
            "The command tells of a run that the session has joined, and it has joined none.",
            "Begin the session with: replhost attach."),
        ErrorGuide(
            "RH3480",
            "The command works on pipelines, and the file returned none.",
            "End the file with: return rh.pipeline \"name\" { source = …, sink = …, tables = … }"),
        ErrorGuide(
            "RH3481",
            "The pipeline has no dead letter with that number: it was never there, or has been delivered or removed.",
            "\"replhost dlq list FILE\" shows those that are there."),
        ErrorGuide(
            "RH3482",
            "The command asks before it goes on, and there is no terminal to answer from.",
            "Give --yes to do it without being asked."),
        ErrorGuide(
            "RH3483",
            "A test file or folder cannot be opened.",
            "Check the path and its permissions."),
        ErrorGuide(
            "RH3484",
            "A test case has called os.exit, which ends its file.",
            "Take the call out: a case fails by an error or an expectation."),
        ErrorGuide(
            "RH3485",
            "There was no test case to run: no *_test.lua registers one, or --filter matches none.",
            "Check the path and --filter. Cases are registered with require(\"replhost.test\").case(name, fn)."),
        ErrorGuide(
            "RH3491",
            "A file that the command writes cannot be written; the system's reason is in the message.",
            "Check the path, its permissions and the room on the disk."),
        ErrorGuide(
            "RH3492",
            "The file that was to be written is there already, and was not written by this command.",
            "Name another file, or remove that one."),
        ErrorGuide(
            "RH3493",
            "types was asked for the tables of a database that has none.",
            "Check the connection string; tables of the system, of extensions and of replhost do not count."),
        ErrorGuide(
            "RH3494",
            "Two pipelines of the file read tables of the same name that differ, so a test could not know which is meant.",
            "Record each database by itself: replhost types DSN --record=FILE, and t.schema(FILE) in the test."),
    ]
}
