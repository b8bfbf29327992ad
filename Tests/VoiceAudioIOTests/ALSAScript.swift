import VoiceAudioCore
import VoiceAudioIO

/// alsa-lib as a script: each call succeeds unless told otherwise, reads answer in the order given, and what was
/// opened and allocated is counted against what was given back.
final class ALSAScript: ALSACalls {
    struct Script {
        /// Calls that fail, by name, and their status.
        var failures: [String: Int32] = [:]
        /// What reads answer, in order; then `EAGAIN`. Frames of a positive answer are numbered on.
        var reads: [Int] = []
        var resumes: [Int32] = []
        /// What starts answer, in order; then success.
        var starts: [Int32] = []
        var waiting = 0
        var state = PCMState.running
        var revents: UInt16 = 1
        var rates: ClosedRange<UInt32> = 8000...48000
        var channels: ClosedRange<UInt32> = 1...2
        var formats = SampleFormat.allCases
        var hints: [PCMHint] = []
        var cards: [SoundCard] = []

        var called: [String: Int] = [:]
        var held = 0
        var nextFrame: Int16 = 0
    }

    let script: Lock<Script>

    init(_ change: (inout Script) -> Void = { _ in }) {
        var script = Script()
        change(&script)
        self.script = Lock(script)
    }

    func count(_ name: String) -> Int { script.withLock { $0.called[name] ?? 0 } }
    /// Handles opened or allocated and not given back.
    var held: Int { script.withLock { $0.held } }

    private func answer(_ name: String) -> Int32 {
        script.withLock { script in
            script.called[name, default: 0] += 1
            return script.failures[name] ?? 0
        }
    }

    private func acquire(_ name: String) -> (Int32, ALSAHandle?) {
        let status = answer(name)
        guard status >= 0 else { return (status, nil) }
        script.withLock { $0.held += 1 }
        return (0, ALSAHandle(address: 1))
    }

    private func release(_ name: String) -> Int32 {
        script.withLock { $0.held -= 1 }
        return answer(name)
    }

    func open(_ device: String) -> (status: Int32, pcm: ALSAHandle?) { acquire("open") }
    func close(_ pcm: ALSAHandle) -> Int32 { release("close") }
    func state(_ pcm: ALSAHandle) -> PCMState? { script.withLock { $0.state } }
    func prepare(_ pcm: ALSAHandle) -> Int32 { answer("prepare") }

    func start(_ pcm: ALSAHandle) -> Int32 {
        let status = answer("start")
        return script.withLock { $0.starts.isEmpty ? status : $0.starts.removeFirst() }
    }

    func resume(_ pcm: ALSAHandle) -> Int32 {
        _ = answer("resume")
        return script.withLock { $0.resumes.isEmpty ? 0 : $0.resumes.removeFirst() }
    }

    func availUpdate(_ pcm: ALSAHandle) -> Int { script.withLock { $0.waiting } }

    func readi(_ pcm: ALSAHandle, into buffer: inout MutableRawSpan, frames: Int) -> Int {
        _ = answer("readi")
        return script.withLock { script in
            let count = script.reads.isEmpty ? -11 : min(script.reads.removeFirst(), frames)
            for frame in 0..<max(0, count) {
                buffer.storeBytes(of: script.nextFrame, toByteOffset: frame * 2, as: Int16.self)
                script.nextFrame += 1
            }
            return count
        }
    }

    func pollDescriptorsCount(_ pcm: ALSAHandle) -> Int32 {
        let status = answer("pollDescriptorsCount")
        return status < 0 ? status : 1
    }

    func pollDescriptors(_ pcm: ALSAHandle, into set: borrowing DescriptorSet, count: Int) -> Int32 {
        answer("pollDescriptors")
    }

    func pollDescriptorsRevents(
        _ pcm: ALSAHandle, in set: borrowing DescriptorSet, count: Int
    ) -> (status: Int32, revents: UInt16) { (answer("revents"), script.withLock { $0.revents }) }

    func hwParamsMalloc() -> (status: Int32, parameters: ALSAHandle?) { acquire("hwParamsMalloc") }
    func hwParamsFree(_ parameters: ALSAHandle) { _ = release("hwParamsFree") }
    func hwParamsAny(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 { answer("hwParamsAny") }
    func hwParamsSetAccess(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 { answer("setAccess") }

    func hwParamsTestFormat(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ format: SampleFormat) -> Int32 {
        script.withLock { $0.formats.contains(format) ? 0 : -22 }
    }

    func hwParamsSetFormat(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ format: SampleFormat) -> Int32 {
        hwParamsTestFormat(pcm, parameters, format)
    }

    func hwParamsSetChannels(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ count: UInt32) -> Int32 {
        script.withLock { $0.channels.contains(count) ? 0 : -22 }
    }

    func hwParamsGetChannels(_ parameters: ALSAHandle) -> ClosedRange<UInt32>? { script.withLock { $0.channels } }

    func hwParamsTestRate(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ rate: UInt32) -> Int32 {
        script.withLock { $0.rates.contains(rate) ? 0 : -22 }
    }

    func hwParamsSetRate(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ rate: UInt32) -> Int32 {
        hwParamsTestRate(pcm, parameters, rate)
    }

    func hwParamsGetRate(_ parameters: ALSAHandle) -> ClosedRange<UInt32>? { script.withLock { $0.rates } }

    func hwParamsSetPeriodSizeNear(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        answer("setPeriodSizeNear")
    }

    func hwParamsSetBufferSizeNear(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        answer("setBufferSizeNear")
    }

    func hwParams(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 { answer("hwParams") }

    func getParams(_ pcm: ALSAHandle) -> (status: Int32, bufferFrames: UInt, periodFrames: UInt) {
        (answer("getParams"), 3200, 160)
    }

    func swParamsMalloc() -> (status: Int32, parameters: ALSAHandle?) { acquire("swParamsMalloc") }
    func swParamsFree(_ parameters: ALSAHandle) { _ = release("swParamsFree") }
    func swParamsCurrent(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 { answer("swParamsCurrent") }
    func swParamsGetBoundary(_ parameters: ALSAHandle) -> UInt { 1 << 40 }

    func swParamsSetAvailMin(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        answer("setAvailMin")
    }

    func swParamsSetStartThreshold(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        answer("setStartThreshold")
    }

    func swParamsSetStopThreshold(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        answer("setStopThreshold")
    }

    func swParams(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 { answer("swParams") }

    func info(_ pcm: ALSAHandle) -> PCMPlace? { nil }

    func deviceHints() -> (status: Int32, hints: [PCMHint]) { (answer("deviceHints"), script.withLock { $0.hints }) }
    func cards() -> [SoundCard] { script.withLock { $0.cards } }
}

/// A clock that stands still until it is told otherwise; waiting ends at once, or moves it to the deadline.
final class StepClock: AudioClock {
    private let time = Lock(MonotonicInstant(nanoseconds: 1_000_000_000_000))
    let waits = Lock(0)
    /// Whether the first place of a set counts as ready.
    let isReady: Bool

    init(isReady: Bool = false) { self.isReady = isReady }

    var now: MonotonicInstant { time.withLock { $0 } }

    func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }

    func wait(for descriptors: borrowing DescriptorSet, until deadline: MonotonicInstant?) -> Int {
        waits.withLock { $0 += 1 }
        // A set of one is the wake-up alone.
        if isReady, descriptors.count > 1 { return 1 }
        if let deadline { time.withLock { $0 = max($0, deadline) } }
        return 0
    }
}
