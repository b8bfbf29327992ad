// The library in a program, as small as one is that looks at each chunk in place.
//
//   embedded-capture RATE CHANNELS PERIOD-FRAMES BUFFER-FRAMES chunks NUMBER
//   embedded-capture RATE CHANNELS PERIOD-FRAMES BUFFER-FRAMES cycles NUMBER
//
// Captures 16 bits from the PCM `bench` until SIGTERM, waiting for so many chunks, and prints how many frames came; or
// begins and ends so often, and prints what that took. How large the device's buffer is to be decides the library itself.
import Glibc
import Synchronization
import VoiceAudio

private let isOver = Atomic(false)

@main
struct EmbeddedCapture {
    static func main() {
        do { try run() } catch {
            // Glibc's `stderr` is a variable, which Swift 6 takes for a race.
            _ = "error: \(error)\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
            exit(1)
        }
    }

    private static func run() throws {
        guard CommandLine.argc == 7 else { fatalError("wrong arguments") }
        let arguments = CommandLine.unsafeArgv
        let numbers = [1, 2, 3, 4, 6].map { Int(atoi(arguments[$0]!)) }
        var configuration = AudioConfiguration()
        configuration.device = "bench"
        (configuration.sampleRateHz, configuration.channelCount) = (numbers[0], numbers[1])
        configuration.chunkFrameCount = numbers[2]
        if strcmp(arguments[5]!, "cycles") == 0 {
            for cycle in 0..<numbers[4] { try beginAndEnd(configuration, isFirst: cycle == 0) }
        } else {
            try capture(configuration, atOnce: numbers[4])
        }
    }

    private static func capture(_ configuration: AudioConfiguration, atOnce: Int) throws {
        signal(SIGTERM) { _ in isOver.store(true, ordering: .relaxed) }
        let processor = try AudioProcessor(configuration: configuration)
        defer { processor.cleanup() }
        let chunks = try processor.subscribe(chunks: 50, overflow: .uniform(.dropOldest))
        try processor.arm()
        var frameCount = 0
        var sum = 0
        while !isOver.load(ordering: .relaxed) {
            if atOnce > 1 { _ = try chunks.buffer.waitForChunks(atOnce, timeout: nil) }
            for _ in 0..<atOnce {
                try chunks.consumeNext { header, bytes in
                    frameCount += header.frameCount
                    sum += Int(bytes.unsafeLoad(as: Int16.self))
                }
            }
        }
        if sum == 1 { print("silence") }
        print(frameCount)
    }
}
