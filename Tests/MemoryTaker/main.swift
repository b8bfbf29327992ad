// Takes memory, and tells what its monitor says of that.
//
//   MemoryTaker           until memory is critical, and then gives it back: a line for each change of the level
//   MemoryTaker events    until a kernel event has the monitor sample, of itself only once an hour: says after how much
switch CommandLine.arguments.dropFirst().first {
case nil: takeUntilCritical()
case "events": try takeUntilEvent()
default: fatalError("usage: MemoryTaker [events]")
}
