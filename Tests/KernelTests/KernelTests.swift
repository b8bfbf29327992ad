import Testing

/// What is tested on a kernel with sound cards, one test at a time: they share the cards.
@Suite(
    .serialized, .timeLimit(.minutes(20)),
    .enabled(if: KernelGuest.isHere, "needs the kernel's sound cards: Scripts/kernel-test runs it"))
enum KernelTests {}
