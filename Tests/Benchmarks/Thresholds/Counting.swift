import CCounting
import Glibc
import VoiceAudio

/// Under callgrind, which begins a profile at `countingBegins` and writes it at `countingEnds`.
func countInstructions() throws {
    try forEachCase(
        { name in
            print(name)
            countingBegins()
        }, end: countingEnds)
}

/// As gettid(2) tells it, which the Glibc module does not have.
private let mainThread = getpid()

func countAllocations() throws {
    var name = ""
    try forEachCase(
        {
            name = $0
            allocationCounterStart(mainThread)
        },
        end: {
            allocationCounterStop()
            print("\(name)\t\(allocationCounterCount() + allocationCounterFreeCount())")
        })
    try countAllocationsOfCapture()
}

/// A capture runs, and a listener reads each of its chunks in place: neither thread allocates.
private func countAllocationsOfCapture() throws {
    var configuration = AudioConfiguration()
    configuration.chunkFrameCount = 16
    configuration.maxChunks = 50
    let processor = AudioProcessor(
        source: SimulatedSource(toneHz: 440), configuration: configuration)
    let listener = try processor.subscribe(chunks: 100)
    try processor.arm()
    defer { processor.cleanup() }
    var consumer = try listener.buffer.takeConsumer()
    func read(_ count: Int) {
        var sum = 0
        for _ in 0..<count {
            while consumer.withOldest({ sum += $0.frameCount &+ $1.byteCount }) == nil { usleep(1000) }
            consumer.consumeOldest { sum += $0.frameCount &+ $1.byteCount }
        }
        precondition(sum == count * 16 * 6, "each chunk has 16 frames of two bytes")
    }
    // What happens once is over then, and the history is full.
    read(200)
    guard let captureThread = ThreadSupervisor.threads.first(where: { $0.role == .capture })?.threadID else {
        fatalError("no thread captures")
    }
    for (name, thread) in [
        ("capture, its thread", pid_t(captureThread)), ("capture, its listener's thread", mainThread),
    ] {
        allocationCounterStart(thread)
        read(chunkCount)
        allocationCounterStop()
        print("\(name)\t\(allocationCounterCount() + allocationCounterFreeCount())")
    }
}
