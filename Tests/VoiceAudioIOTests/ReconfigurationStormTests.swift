import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO
import XCTest

/// What a storm of reconfigurations opens: who holds the one device there is, and how long its stops hang.
private final class StormDevice: Sendable {
    struct State {
        var opened = 0
        var closed = 0
        var held = 0
        var mostHeld = 0
        /// Streams of a device that only one can hold.
        var exclusive = 0
    }

    let state = Lock(State())
    let clock = ManualClock()
    /// Injected time that the stops which hang have yet to wait.
    let hanging = Lock<[Duration]>([])
    let hasHanging: WakeUp

    init() throws(AudioError) { hasHanging = try WakeUp() }

    /// Waits `duration` of injected time; whoever turns the clock is told.
    func hang(_ duration: Duration) {
        let end = clock.now.advanced(by: duration)
        hanging.withLock { $0.append(duration) }
        hasHanging.signal()
        while clock.now < end { _ = clock.wait(for: DescriptorSet(count: 0), until: end) }
    }
}

/// An ALSA device over scripted calls that may fail to open or to start, and whose close may hang.
private struct StormSource: CaptureSource {
    let name: String
    let device: StormDevice
    let calls: ALSAScript
    let isExclusive: Bool
    let closeTakes: Duration

    func open(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream {
        try device.state.withLock { (state) throws(AudioError) in
            if isExclusive, state.exclusive > 0 { throw AudioError(.busy, "held already") }
            if isExclusive { state.exclusive += 1 }
        }
        do throws(AudioError) {
            let stream = try ALSASource(device: "hw:0", calls: calls).open(request, in: environment)
            device.state.withLock { state in
                state.opened += 1
                state.held += 1
                state.mostHeld = max(state.mostHeld, state.held)
            }
            return StormStream(stream, of: self)
        } catch {
            if isExclusive { device.state.withLock { $0.exclusive -= 1 } }
            throw error
        }
    }
}

private final class StormStream: CaptureStream {
    private let inner: any CaptureStream
    private let source: StormSource
    let report: CaptureReport

    init(_ inner: any CaptureStream, of source: StormSource) {
        self.inner = inner
        self.source = source
        // Without a buffer: no frames are due, as none come from the script.
        var report = inner.report
        report.bufferFrames = 0
        self.report = report
    }

    func start() throws(AudioError) { try inner.start() }
    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead { try inner.read(into: &buffer) }

    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(wakeUp.descriptor, at: 0)
        _ = descriptors.poll(nanoseconds: nil)
    }

    func close() {
        if source.closeTakes > .zero { source.device.hang(source.closeTakes) }
        inner.close()
        source.device.state.withLock { state in
            state.closed += 1
            state.held -= 1
            if source.isExclusive { state.exclusive -= 1 }
        }
    }
}

/// Ten thousand reconfigurations of a recording, at random: openings fail, starts fail, stops hang.
final class ReconfigurationStormTests: XCTestCase {
    private var generator = SeededGenerator(seed: SeededGenerator.freshSeed())
    private var scripts: [ALSAScript] = []

    private func source(_ number: Int, of device: StormDevice, mayFail: Bool = true) -> StormSource {
        let dice = generator.below(10)
        let calls = ALSAScript { script in
            guard mayFail else { return }
            if dice == 0 { script.failures["open"] = -ENODEV }
            if dice == 1 { script.failures["hwParams"] = -EINVAL }
            if dice == 2 { script.failures["start"] = -EIO }
        }
        scripts.append(calls)
        let closeTakes = generator.below(4) == 0 ? 50 + generator.below(451) : 0
        return StormSource(
            name: "storm \(number)", device: device, calls: calls, isExclusive: generator.below(2) == 0,
            closeTakes: .milliseconds(closeTakes))
    }

    func testAlwaysExactlyOneWorks() throws {
        let device = try StormDevice()
        let isOver = Lock(false)
        // Time passes only where a stop hangs.
        let hand = try ThreadResult {
            var descriptors = DescriptorSet(count: 1)
            descriptors.watch(device.hasHanging.descriptor, at: 0)
            while true {
                _ = descriptors.poll(nanoseconds: nil)
                device.hasHanging.clear()
                for duration in device.hanging.withLock({ (list: inout [Duration]) in
                    defer { list = [] }
                    return list
                }) { device.clock.advance(by: duration) }
                if isOver.withLock({ $0 }) { return }
            }
        }
        var configuration = AudioConfiguration()
        configuration.chunkFrameCount = 160
        let processor = AudioProcessor(
            source: source(0, of: device, mayFail: false), configuration: configuration, clock: device.clock)
        let listener = try processor.subscribe()
        try processor.start()

        let count = ProcessCounts.isSanitized ? 1000 : 10_000
        var replaced = 0
        var levels: (descriptors: Int, threads: Int, bytes: Int) = (0, 0, 0)
        for number in 1...count {
            let result = processor.reconfigure(source: source(number, of: device)) { configuration in
                configuration.maxChunks = 100 + number % 3
            }
            if result.isReplaced { replaced += 1 }
            let state = device.state.withLock { $0 }
            guard processor.state == .recording, state.held == 1, state.opened == state.closed + 1 else {
                XCTFail("after \(number) of seed \(generator.seed): \(processor.state), \(state), \(result)")
                break
            }
            scripts.removeAll { $0.held == 0 }
            XCTAssertLessThanOrEqual(scripts.count, 1)
            if number == count / 5 {
                levels = (ProcessCounts.descriptors, ProcessCounts.threads(), ProcessCounts.residentBytes)
            }
        }
        XCTAssertGreaterThan(replaced, count / 2)
        XCTAssertLessThan(replaced, count * 9 / 10)
        // Fewer, where a thread was about to end when the levels were read.
        XCTAssertTrue(
            eventually {
                ProcessCounts.descriptors <= levels.descriptors && ProcessCounts.threads() <= levels.threads
            })
        if !ProcessCounts.isSanitized {
            XCTAssertLessThan(ProcessCounts.residentBytes - levels.bytes, 4 << 20)
        }
        XCTAssertFalse(listener.buffer.isClosed)
        XCTAssertEqual(processor.quarantinedThreadCount, 0)
        XCTAssertEqual(device.state.withLock { $0.mostHeld }, 2)
        processor.cleanup()
        XCTAssertTrue(listener.buffer.isClosed)
        isOver.withLock { $0 = true }
        device.hasHanging.signal()
        try hand.value()
        let state = device.state.withLock { $0 }
        XCTAssertEqual(state.opened, state.closed)
        XCTAssertEqual(state.held, 0)
        XCTAssertTrue(scripts.allSatisfy { $0.held == 0 })
    }
}
