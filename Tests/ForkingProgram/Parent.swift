import Glibc
import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// Captures from a source whose frames are numbered, while it forks and while other threads keep locks busy.
final class Parent {
    private let source = ScriptedSource()
    private let device: String
    private let path: String
    private var inherited: Inherited?
    private let busy: Busy
    /// A child that waits, and drops what it inherited when its parent is done with it.
    private var lateChild: (process: pid_t, lifeline: Int32) = (0, -1)
    private var frameCount = 0

    init(directory: String, device: String) throws {
        self.device = device
        path = directory + "/parent.wav"
        var configuration = AudioConfiguration.scripted()
        configuration.stopTimeout = Limits.wait
        let processor = AudioProcessor(source: source, configuration: configuration)
        let microphone = try AudioProcessor(configuration: Self.configuration(of: device))
        let subscription = try processor.subscribe(chunks: 1000)
        try microphone.arm(deadline: Limits.wait)
        // A recording that is over, and another that goes on.
        try processor.arm()
        try processor.start()
        source.push(.frames(1000))
        guard source.waitUntilTaken() else { fatalError("the capture does not read") }
        let recording = try processor.stop()
        try processor.start()
        let inherited = Inherited(
            processor: processor, microphone: microphone, subscription: subscription,
            ring: try BoundedAudioBuffer(maxChunks: 8, maxBytes: 1 << 20),
            writer: try RecordingWriter(path: path, format: recording.format, minimumFreeBytes: 0),
            watch: try DeviceWatch(), recording: recording, notifier: try .running(), memory: try InheritedMemory(),
            monitor: MemoryPressureMonitor(
                configuration: try MemoryPressureConfiguration(interval: .milliseconds(100))),
            handler: Handler())
        inherited.monitor.register(inherited.handler)
        self.inherited = inherited
        try Self.captureAnew(from: device, to: path + ".anew.wav")
        busy = try Busy(with: inherited)
        try take(1000)
    }

    private static func configuration(of device: String) -> AudioConfiguration {
        var configuration = AudioConfiguration()
        configuration.device = device
        configuration.chunkFrameCount = 160
        configuration.stopTimeout = Limits.wait
        return configuration
    }

    /// Forks one that waits until this is done, and then drops what it has.
    func forkLateChild() throws {
        var ends: [Int32] = [-1, -1]
        // SAFETY: room for the two descriptors.
        guard unsafe pipe(&ends) == 0 else { throw GivenUp("no pipe: \(errno)") }
        let child = forkProcess()
        guard child == 0 else {
            close(ends[0])
            lateChild = (child, ends[1])
            return
        }
        close(ends[1])
        alarm(0)
        var byte: UInt8 = 0
        // SAFETY: one byte at most. The parent writes none: it closes, or ends.
        while unsafe read(ends[0], &byte, 1) < 0 && errno == EINTR {}
        alarm(Limits.childSeconds)
        inherited = nil
        _exit(hasComplained() ? 1 : 0)
    }

    /// Forks while frames arrive, waits for the child's end, and looks whether anything is missing.
    func fork(_ number: Int) throws {
        guard let recording = inherited?.recording else { return }
        source.push(.frames(100))
        let child = try recording.withTemporaryWAV(named: true) { wav in
            let child = forkProcess()
            if child > 0 { try waitForEnd(of: child, "child \(number)") }
            expect(exists(wav.path), "\(wav.path) is missing")
            return child
        }
        // A child came out of the braces, too, which in its parent removes the file.
        if child == 0 { end(number) }
        try take(100)
    }

    /// - Throws: where the child did not end as it should: the next ones would not either.
    private func waitForEnd(of child: pid_t, _ name: String) throws {
        var status: Int32 = 0
        // SAFETY: the kernel fills a local.
        while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
        guard status != 0 else { return }
        let signal = status & 0x7f
        throw GivenUp("\(name) \(signal == 0 ? "has complained" : "hung or crashed: it ended by signal \(signal)")")
    }

    /// Whether tasks can still wait.
    func checkNotifier() async throws {
        guard let inherited else { return }
        let wakeUp = try WakeUp()
        wakeUp.signal()
        let isThere = await inherited.notifier.waitUntilReadable(wakeUp.descriptor)
        expect(isThere, "the parent's notifier is no more")
    }

    /// What the children must not have touched.
    func finish() throws {
        busy.end()
        guard let inherited else { return }
        let recording = try inherited.processor.stop()
        expect(recording.numbers == Array(1000..<frameCount), "the parent's recording: \(recording.frameCount)")
        expect(recording.losses.isEmpty, "\(recording.losses)")
        expect(try inherited.notifier === DescriptorNotifier.running(), "another notifier")
        try inherited.writer.finish()
        close(lateChild.lifeline)
        try waitForEnd(of: lateChild.process, "the late child")
        let reader = try SoundFileReader(path: path)
        expect(reader.frameCount == frameCount, "the parent's file has \(reader.frameCount) of \(frameCount) frames")
        let listener = try inherited.microphone.subscribe()
        expect(try listener.next(timeout: Limits.wait) != nil, "the parent's ALSA device is silent")
        inherited.microphone.cleanup()
        try inherited.memory.finish()
    }

    /// Takes so many frames, which must be the next ones.
    private func take(_ count: Int) throws {
        guard let inherited else { return }
        let end = frameCount + count
        while frameCount < end {
            guard let chunk = try inherited.subscription.next(timeout: Limits.wait) else {
                throw GivenUp("the parent's listener has ended after \(frameCount) frames")
            }
            let expected = Array(frameCount..<frameCount + chunk.frameCount)
            expect(chunk.lossBefore == nil && chunk.numbers == expected, "wrong frames after \(frameCount)")
            try inherited.writer.append(chunk)
            frameCount += chunk.frameCount
        }
        expect(frameCount == end, "the parent's listener gave \(frameCount) frames instead of \(end)")
    }

    // MARK: - In the child

    private func end(_ number: Int) -> Never {
        do { try beChild(number) } catch { complain("child \(number): \(error)") }
        let status: Int32 = hasComplained() ? 1 : 0
        if number % 4 < 2 { exit(status) }
        _exit(status)
    }

    private func beChild(_ number: Int) throws {
        guard let inherited else { return }
        try inherited.useInChild()
        // What was inherited may be used anew, and other things made.
        try Self.capture(from: inherited.microphone)
        expect(try inherited.notifier !== DescriptorNotifier.running(), "the parent's notifier in a fork")
        try Self.captureAnew(from: device, to: "\(path).\(number).wav")
        if number % 2 == 0 { self.inherited = nil }
    }

    /// With nothing inherited. The parent does so, too, before it forks: what Swift has to make ready for that, a child
    /// does not have to make under locks of Swift's own.
    private static func captureAnew(from device: String, to path: String) throws {
        try capture(from: AudioProcessor(configuration: configuration(of: device)))
        try capture(from: AudioProcessor(source: SimulatedSource(toneHz: 440, pace: .asFastAsPossible)))
        let ring = try BoundedAudioBuffer(maxChunks: 8, maxBytes: 1 << 20)
        expect(ring.append([Int16](repeating: 1, count: 10)).isStored, "append to a new ring")
        expect(try ring.popFirst()?.byteCount == 20, "a chunk from a new ring")
        let own = try RecordingWriter(path: path, format: .speech, minimumFreeBytes: 0)
        try own.finish()
    }

    private static func capture(from processor: AudioProcessor) throws {
        let listener = try processor.subscribe()
        try processor.start(deadline: Limits.wait)
        expect(try listener.next(timeout: Limits.wait) != nil, "no chunk")
        expect(try processor.stop().frameCount > 0, "an empty recording")
        processor.cleanup()
    }
}
