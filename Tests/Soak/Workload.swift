import Foundation
import Glibc
import Synchronization
import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// What happens meanwhile, each on a thread of its own, until it is over.
final class Workload: Sendable {
    let isOver = Atomic<Bool>(false)
    let account: Lock<FrameAccount>
    let restarts = Atomic<Int>(0)
    let recordings = Atomic<Int>(0)
    let files = Atomic<Int>(0)
    let otherCaptures = Atomic<Int>(0)
    let cleanups = Atomic<Int>(0)
    let problems = Lock<[String]>([])

    private let processor: AudioProcessor
    private let directory: String
    private let configuration: AudioConfiguration

    init(device: String, directory: String) throws {
        var configuration = AudioConfiguration()
        configuration.device = device
        configuration.temporaryDirectory = directory
        configuration.minimumFreeDiskBytes = 0
        configuration.maxChunks = 50
        self.configuration = configuration
        self.directory = directory
        processor = try AudioProcessor(configuration: configuration)
        account = Lock(FrameAccount(rate: configuration.sampleRateHz, period: configuration.chunkFrameCount))
    }

    func start() throws -> [WorkerThread] {
        try [captureForEver, recordAgainAndAgain, openAgainAndAgain].map { work in
            try WorkerThread(name: "soak") { work() }
        }
    }

    var goesOn: Bool { !isOver.load(ordering: .relaxed) }

    func note(_ problem: String) { problems.withLock { if $0.count < 20 { $0.append(problem) } } }

    /// The long capture, with a listener that reads and one that does not. Where it fails it begins anew.
    private func captureForEver() {
        while goesOn {
            do {
                let listener = try processor.subscribe()
                let sleeper = try processor.subscribe(chunks: 3)
                try processor.arm()
                defer { account.withLock { $0.endCapture() } }
                try follow(listener)
                sleeper.cancel()
            } catch {
                restarts.wrappingAdd(1, ordering: .relaxed)
                processor.cleanup()
                usleep(50_000)
            }
        }
        processor.cleanup()
    }

    /// Streams to a file that is replaced by the next one every five seconds of audio.
    private func follow(_ listener: AudioSubscription) throws {
        while goesOn {
            let path = "\(directory)/stream.wav"
            let writer = try RecordingWriter(path: path, format: configuration.format, minimumFreeBytes: 0)
            while goesOn, writer.duration < .seconds(5) {
                guard let chunk = try listener.next(timeout: .seconds(30)) else {
                    throw AudioError(.deviceLost, "the capture has ended")
                }
                account.withLock { $0.take(chunk.header, at: SystemClock().now) }
                try writer.append(chunk)
            }
            let frames = writer.frameCount
            try writer.finish()
            if try SoundFileReader(path: path).frameCount != frames { note("\(path) lacks frames") }
            files.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Recordings from the same processor: with pre-roll, paused, handed over in both kinds of files; and clean-ups.
    private func recordAgainAndAgain() {
        var round = 0
        while goesOn {
            round += 1
            do {
                // From idle it would open the device itself, and end the long capture with the recording.
                guard processor.state == .ready else { throw AudioError(.invalidState, "\(processor.state)") }
                try processor.start(preRoll: .milliseconds(300))
                usleep(200_000)
                if round % 3 == 0 {
                    try processor.pause()
                    try processor.resume()
                }
                let recording = try processor.stop()
                try recording.withTemporaryWAV(named: round % 2 == 0) { wav in
                    if try SoundFileReader(path: wav.path).frameCount != recording.frameCount { note("\(wav.path)") }
                }
                recordings.wrappingAdd(1, ordering: .relaxed)
                if round % 20 == 0 {
                    processor.forceCleanupBuffers()
                    cleanups.wrappingAdd(1, ordering: .relaxed)
                }
            } catch {
                // The device is away, or just coming back.
                usleep(50_000)
            }
        }
    }

    /// Processors that come and go, simulated and not; some are dropped as they are.
    private func openAgainAndAgain() {
        var round = 0
        while goesOn {
            round += 1
            do {
                var configuration = configuration
                if round % 2 == 0 { configuration.device = "sim:" }
                configuration.chunkFrameCount = 160
                let processor = try AudioProcessor(configuration: configuration)
                let listener = try processor.subscribe(chunks: 5)
                try processor.start()
                _ = try listener.next(timeout: .seconds(5))
                if round % 3 > 0 { _ = try processor.stop() }
                if round % 3 > 1 { processor.cleanup() }
                otherCaptures.wrappingAdd(1, ordering: .relaxed)
            } catch {
                usleep(50_000)
            }
        }
    }
}
