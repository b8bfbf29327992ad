import Glibc

// Everything else is in functions: what stands here would be bound to the main actor.
exit(runTool(Array(CommandLine.arguments.dropFirst())))
