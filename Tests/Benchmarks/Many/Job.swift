import Foundation
import VoiceAudio

/// What the process of one count does: `--job KIND COUNT SECONDS`.
struct Job {
    enum Kind: String {
        /// Packets of 20 ms that a thread pushes, as a SIP stack does.
        case pushed
        /// Captures of the PCM `numbered`.
        case plugin
        /// Captures of built-in speech.
        case simulated
    }

    static let option = "--job"
    static let chunkFrames = 320
    static let rate = 16_000

    let kind: Kind
    let count: Int
    let seconds: Double

    init?(_ arguments: some Collection<String>) {
        let arguments = Array(arguments)
        guard arguments.count == 4, arguments[0] == Self.option, let kind = Kind(rawValue: arguments[1]),
            let count = Int(arguments[2]), let seconds = Double(arguments[3])
        else { return nil }
        (self.kind, self.count, self.seconds) = (kind, count, seconds)
    }

    func run() async throws -> Figures {
        raiseDescriptorLimit()
        let readers = (0..<count).map { _ in Reader(kind, seconds: seconds) }
        var configuration = AudioConfiguration()
        configuration.chunkFrameCount = Self.chunkFrames
        switch kind {
        case .pushed: return try await push(to: readers, configuration)
        case .plugin: configuration.device = "numbered"
        case .simulated: configuration.device = "sim:"
        }
        let processors = try readers.map { _ in try AudioProcessor(configuration: configuration) }
        let tasks = zip(readers, processors).map { $0.reading($1) }
        for processor in processors { try await processor.arm() }
        var figures = try await measure(processors, readers)
        for processor in processors { processor.cleanup() }
        var heard = Heard()
        for task in tasks { heard += try await task.value }
        figures.take(heard)
        figures.lostFrames = Double(heard.lost)
        return figures
    }

    private func push(to readers: [Reader], _ configuration: AudioConfiguration) async throws -> Figures {
        let calls = SessionRegistry(
            limits: .init(sessions: count, memory: .kibibytes(256 * count)), expectedDuration: .seconds(3600),
            configuration: configuration)
        let format = StreamFormat(sampleRateHz: Self.rate, channelCount: 1, encoding: .pcm(.s16))
        var sessions: [AudioSession<PushSource>] = []
        for index in readers.indices {
            sessions.append(try await calls.begin("call-\(index)", source: PushSource(format: format)))
        }
        let tasks = zip(readers, sessions).map { $0.reading($1.processor) }
        let pusher = Pusher(sessions.map(\.source))
        pusher.start()
        var figures = try await measure(sessions.map(\.processor), readers)
        pusher.end()
        var heard = Heard()
        for task in tasks { heard += try await task.value }
        figures.take(heard)
        figures.lostFrames = Double(pusher.pushedPackets * Self.chunkFrames - heard.frames)
        _ = await calls.endAll(deadline: .seconds(10))
        return figures
    }

    /// Looks at what a while takes, once all run evenly.
    private func measure(_ processors: [AudioProcessor], _ readers: [Reader]) async throws -> Figures {
        try await Task.sleep(for: .seconds(seconds / 4))
        for reader in readers { reader.startMeasuring() }
        let window = Window()
        try await Task.sleep(for: .seconds(seconds))
        var figures = window.figures(processors)
        for reader in readers { reader.endMeasuring() }
        figures.residentKiB -= Double(readers.map(\.byteCount).reduce(0, +)) / 1024
        return figures
    }
}

/// 256 captures need more descriptors than the usual 1,024.
private func raiseDescriptorLimit() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
