import Glibc
import VoiceAudio

/// A cycle begins and ends twice: from nothing, with the first chunk awaited; and from an open device whose history rolls,
/// as a program does that waits for a wake word, with the next one awaited. A stop hands the recording back each time.
func beginAndEnd(_ configuration: AudioConfiguration, isFirst: Bool) throws {
    let processor = try AudioProcessor(configuration: configuration)
    defer {
        processor.cleanup()
        // Until the sound server is as if nobody had captured.
        usleep(.random(in: 100_000..<150_000))
    }
    let chunks = try processor.subscribe(chunks: 50, overflow: .uniform(.dropOldest))
    try tell(isFirst ? "first-open" : "open") {
        try processor.start()
        try take(1, of: chunks)
    }
    try pass(chunks)
    try tell("stop-and-close") { _ = try processor.stop() }

    let more = try processor.subscribe(chunks: 50, overflow: .uniform(.dropOldest))
    try processor.arm()
    try pass(more)
    while try more.buffer.popFirst() != nil {}
    try tell("start") {
        try processor.start()
        try take(1, of: more)
    }
    try pass(more)
    try tell("stop") { _ = try processor.stop() }
}

/// Three periods, and a part of one: calls come at any moment of it.
private func pass(_ chunks: AudioSubscription) throws {
    try take(3, of: chunks)
    usleep(.random(in: 0..<10_000))
}

private func take(_ count: Int, of chunks: AudioSubscription) throws {
    for _ in 0..<count { try chunks.consumeNext { _, _ in } }
}

private func tell(_ what: String, _ work: () throws -> Void) rethrows {
    let clock = ContinuousClock()
    let time = try clock.measure(work)
    print(what, time.components.seconds * 1_000_000_000 + time.components.attoseconds / 1_000_000_000)
}
