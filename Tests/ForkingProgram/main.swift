// Forks again and again while it captures, and sees to it that its children, whatever they do with what they inherit,
// take nothing from it; and that they can capture on their own.
//
//   ForkingProgram DIRECTORY DEVICE FORKS      a directory for its files, and an ALSA device that needs no hardware
//
// Says on standard error what is not as it should be, and gives up at the first child with which something was not; exits
// with 0 where nothing was. Two minutes are the most that it needs, whatever hangs.
import Glibc

guard CommandLine.arguments.count == 4, let forkCount = Int(CommandLine.arguments[3]) else {
    fatalError("usage: ForkingProgram DIRECTORY DEVICE FORKS")
}
endHang(after: Limits.parentSeconds)
do {
    let parent = try Parent(directory: CommandLine.arguments[1], device: CommandLine.arguments[2])
    try parent.forkLateChild()
    for number in 0..<forkCount { try parent.fork(number) }
    try await parent.checkNotifier()
    try parent.finish()
} catch {
    complain("\(error)")
    // What others are at is not to be disturbed by what `exit` does.
    _exit(1)
}
exit(hasComplained() ? 1 : 0)
