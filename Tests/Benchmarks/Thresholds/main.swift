// What Scripts/thresholds counts: the ring's ends at work, chunk by chunk.
//
//   bench-thresholds instructions    under callgrind: the name of each case, which has a profile of its own
//   bench-thresholds allocations     the name of each case, and its allocations and frees together
switch CommandLine.arguments.dropFirst().first {
case "instructions": try countInstructions()
case "allocations": try countAllocations()
default: fatalError("usage: bench-thresholds instructions|allocations")
}
