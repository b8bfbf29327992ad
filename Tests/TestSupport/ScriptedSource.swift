package import VoiceAudio
package import VoiceAudioCore
package import VoiceAudioIO

/// A source that a test writes as it goes: what each read brings, and which calls hang.
///
/// Its samples are numbers: each frame holds its position in the stream, lost frames counted, as an `Int32`, on every
/// channel. So it is to be captured as `s32`.
package final class ScriptedSource: CaptureSource {
    /// What comes next.
    package enum Event: Sendable {
        case frames(Int)
        /// As many frames that are zero.
        case zeros(Int)
        case lost(AudioLoss)
        case reopened(AudioLoss)
        /// From now on the source is away, or is not any more.
        case outage(CaptureOutage?)
        case fail(AudioError)
        case end
        /// The read does not return until ``ScriptedSource/letGo()``.
        case hang
    }

    /// A call that can be made to hang until ``ScriptedSource/letGo()``.
    package enum Call: Sendable { case open, close }

    fileprivate struct State {
        var events: [Event] = []
        var position = 0
        var hangingCalls: Set<Call> = []
        var openFailure: AudioError?
        var isWaiting = false
        var isHanging = false
        var opened = 0
        var closed = 0
    }

    package let name = "scripted"
    fileprivate let state = Lock(State())
    fileprivate let arrived: WakeUp
    private let released: WakeUp
    private let changed: WakeUp

    package init() {
        do throws(AudioError) {
            arrived = try WakeUp()
            released = try WakeUp()
            changed = try WakeUp()
        } catch { fatalError("\(error)") }
    }

    /// Lets these come, after what is to come already.
    package func push(_ events: Event...) {
        state.withLock { $0.events += events }
        arrived.signal()
    }

    package func hang(in call: Call) { state.withLock { _ = $0.hangingCalls.insert(call) } }

    /// Lets everything that hangs go on, now and later.
    package func letGo() {
        state.withLock { $0.hangingCalls = [] }
        released.signal()
    }

    package func failToOpen(with error: AudioError?) { state.withLock { $0.openFailure = error } }

    /// Streams opened, and closed.
    package var openCount: Int { state.withLock { $0.opened } }
    package var closeCount: Int { state.withLock { $0.closed } }

    /// Waits until the capture has taken all that was pushed and waits for more.
    package func waitUntilTaken(within limit: Duration = .seconds(60)) -> Bool {
        wait(within: limit) { $0.events.isEmpty && $0.isWaiting }
    }

    /// The same where a task is to begin the capture: it may find the pool busy with other tests for minutes.
    package func isTakenByATask() async throws -> Bool {
        try await offThePool { self.waitUntilTaken(within: .seconds(240)) }
    }

    package func waitUntilHanging() -> Bool { wait { $0.isHanging } }

    package func waitUntilClosed(count: Int = 1) -> Bool { wait { $0.closed >= count } }

    private func wait(within limit: Duration = .seconds(60), until condition: (State) -> Bool) -> Bool {
        let clock = SystemClock()
        let deadline = clock.now.advanced(by: limit)
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(changed.descriptor, at: 0)
        while true {
            changed.clear()
            if state.withLock({ condition($0) }) { return true }
            if clock.now >= deadline { return false }
            _ = clock.wait(for: descriptors, until: deadline)
        }
    }

    fileprivate func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        changed.signal()
    }

    fileprivate func hangUntilReleased() {
        change { $0.isHanging = true }
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(released.descriptor, at: 0)
        while descriptors.poll(nanoseconds: nil) == 0 {}
        change { $0.isHanging = false }
    }

    fileprivate func enter(_ call: Call) {
        if state.withLock({ $0.hangingCalls.contains(call) }) { hangUntilReleased() }
    }

    package func open(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream {
        enter(.open)
        if let failure = state.withLock({ $0.openFailure }) { throw failure }
        change { state in
            state.opened += 1
            state.position = 0
        }
        return ScriptedStream(self, request: request, clock: environment.clock)
    }
}

private final class ScriptedStream: CaptureStream {
    let report: CaptureReport
    private let source: ScriptedSource
    private let clock: any AudioClock
    private var descriptors = DescriptorSet(count: 2)
    private(set) var outage: CaptureOutage?

    init(_ source: ScriptedSource, request: CaptureRequest, clock: any AudioClock) {
        self.source = source
        self.clock = clock
        report = CaptureReport(
            source: source.name, format: request.format, requestedPeriodFrames: request.chunkFrameCount,
            periodFrames: request.chunkFrameCount, bufferFrames: 0)
        descriptors.watch(source.arrived.descriptor, at: 1)
    }

    func start() throws(AudioError) {}

    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {
        descriptors.watch(wakeUp.descriptor, at: 0)
        source.change { $0.isWaiting = true }
        _ = descriptors.poll(nanoseconds: nil)
        source.arrived.clear()
        source.change { $0.isWaiting = false }
    }

    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead {
        let frameBytes = report.format.bytesPerFrame
        let room = buffer.byteCount / frameBytes
        let event = source.state.withLock { state -> ScriptedSource.Event? in
            guard let event = state.events.first else { return nil }
            if case .frames(let count) = event, count > room {
                state.events[0] = .frames(count - room)
                return .frames(room)
            }
            state.events.removeFirst()
            return event
        }
        switch event {
        case nil: return .nothing
        case .end: return .ended
        case .fail(let error): throw error
        case .hang:
            source.hangUntilReleased()
            return .nothing
        case .outage(let outage):
            self.outage = outage
            // There may be more to come.
            source.arrived.signal()
            return .nothing
        case .lost(let loss):
            source.state.withLock { $0.position += loss.frames }
            return .lost(loss)
        case .reopened(let loss):
            source.state.withLock { $0.position += loss.frames }
            return .reopened(loss)
        case .zeros(let count):
            source.state.withLock { $0.position += count }
            // SAFETY: any bytes will do.
            _ = unsafe buffer.withUnsafeMutableBytes { unsafe $0.initializeMemory(as: UInt8.self, repeating: 0) }
            return .frames(count, captureTime: clock.now)
        case .frames(let count):
            let position = source.state.withLock { state in
                defer { state.position += count }
                return state.position
            }
            // SAFETY: `count` frames fit, as reckoned above.
            unsafe buffer.withUnsafeMutableBytes { bytes in
                for sample in 0..<count * report.format.channelCount {
                    let value = Int32(truncatingIfNeeded: position + sample / report.format.channelCount)
                    unsafe bytes.storeBytes(of: value, toByteOffset: sample * 4, as: Int32.self)
                }
            }
            return .frames(count, captureTime: clock.now)
        }
    }

    func close() {
        source.enter(.close)
        source.change { $0.closed += 1 }
    }
}

extension AudioConfiguration {
    /// For a ``ScriptedSource``: 1,000 Hz, so that a frame is a millisecond, in chunks of 100. Stopping
    /// has time, on a machine that may be busy.
    package static func scripted(chunkFrames: Int = 100, maxChunks: Int = 300, channels: Int = 1) -> AudioConfiguration
    {
        var configuration = AudioConfiguration()
        configuration.sampleRateHz = 1000
        configuration.sampleFormat = .s32
        configuration.channelCount = channels
        configuration.chunkFrameCount = chunkFrames
        configuration.maxChunks = maxChunks
        configuration.minimumFreeDiskBytes = 0
        configuration.stopTimeout = .seconds(60)
        return configuration
    }
}

extension Recording {
    /// The numbers that a ``ScriptedSource`` gave, one a frame.
    package var numbers: [Int] {
        withSamples(as: Int32.self) { samples in
            samples.indices.filter { $0 % format.channelCount == 0 }.map { Int(samples[$0]) }
        }
    }
}

extension AudioChunk {
    /// The numbers that a ``ScriptedSource`` gave, on one channel.
    package var numbers: [Int] { withSamples(as: Int32.self) { samples in samples.indices.map { Int(samples[$0]) } } }
}
