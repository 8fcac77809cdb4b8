import Console

Program.main(Array(CommandLine.arguments.dropFirst()))
