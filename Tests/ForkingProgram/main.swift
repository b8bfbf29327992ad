// Forks again and again while it captures, and sees to it that its children, whatever they do with what they inherit,
// take nothing from it; and that they can capture on their own.
//
//   ForkingProgram DIRECTORY DEVICE FORKS      a directory for its files, and an ALSA device that needs no hardware
//
// Says on standard error what is not as it should be; exits with 0 where nothing was.
import Glibc

guard CommandLine.arguments.count == 4, let forkCount = Int(CommandLine.arguments[3]) else {
    fatalError("usage: ForkingProgram DIRECTORY DEVICE FORKS")
}
do {
    let parent = try Parent(directory: CommandLine.arguments[1], device: CommandLine.arguments[2])
    parent.forkLateChild()
    for number in 0..<forkCount { try parent.fork(number) }
    try await parent.checkNotifier()
    try parent.finish()
} catch {
    complain("\(error)")
    exit(1)
}
exit(hasComplained() ? 1 : 0)
