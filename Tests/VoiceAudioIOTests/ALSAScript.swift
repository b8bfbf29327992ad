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
        /// Frames that wait after a read.
        var waiting = 0
        /// What asking before a read answers, in order; then what waits after a read.
        var avails: [Int] = []
        /// What skipping answers, in order; then as many as asked for.
        var forwards: [Int] = []
        var skipped: [Int] = []
        /// What the device stamps, and what its clocks show; all at 0: no stamps.
        var stamp: Int64 = 0
        var clocks: [SystemClockID: Int64] = [:]
        var isHardware = false
        var hardware: HardwareFormat?
        var bufferFrames: UInt = 3200
        var periodFrames: UInt = 160
        var largestBuffer: UInt? = 1 << 20
        /// What was set, by name.
        var thresholds: [String: UInt] = [:]
        var asked: [String: UInt] = [:]
        var opened: [String] = []
        /// Opens among them that a test lets fail, for its own count.
        var failedOpens = 0
        var ratesBehindPlug: ClosedRange<UInt32>?
        var state = PCMState.running
        var revents: UInt16 = 1
        var rates: ClosedRange<UInt32> = 8000...48000
        var channels: ClosedRange<UInt32> = 1...2
        var layouts = SampleLayout.allCases
        var hints: [PCMHint] = []
        var cards: [SoundCard] = []
        var standard = DefaultPCM.nothing

        /// What happens once, at a call of that name: a thread that is kept waiting before `reading`, after the others.
        var interruptions: [String: @Sendable () -> Void] = [:]

        var called: [String: Int] = [:]
        var held = 0
        var nextFrame: Int16 = 0
        var chosen = SampleLayout.s16
        var chosenChannels = 1

        /// Puts the next frame's number into the last channel, and its negative into those before.
        fileprivate func store(_ frame: Int, _ buffer: inout MutableRawSpan) {
            for channel in 0..<chosenChannels {
                let value = channel == chosenChannels - 1 ? nextFrame : 0 &- nextFrame
                let place = (frame * chosenChannels + channel) * chosen.bytesPerSample
                switch chosen {
                case .s16: buffer.storeBytes(of: value, toByteOffset: place, as: Int16.self)
                case .s32: buffer.storeBytes(of: Int32(value) << 16, toByteOffset: place, as: Int32.self)
                case .s24In4Bytes:
                    // With bits above that mean nothing.
                    let word = UInt32(bitPattern: Int32(value) << 8) & 0xFF_FFFF | 0xA5 << 24
                    buffer.storeBytes(of: word, toByteOffset: place, as: UInt32.self)
                case .s24In3Bytes, .f32: break
                }
            }
        }
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

    private func interrupt(at name: String) {
        script.withLock { $0.interruptions.removeValue(forKey: name) }?()
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

    func open(_ device: String) -> (status: Int32, pcm: ALSAHandle?) {
        script.withLock { script in
            script.opened.append(device)
            if device.hasPrefix("plug:"), let rates = script.ratesBehindPlug { script.rates = rates }
        }
        return acquire("open")
    }

    func close(_ pcm: ALSAHandle) -> Int32 { release("close") }
    func state(_ pcm: ALSAHandle) -> PCMState? { script.withLock { $0.state } }
    func prepare(_ pcm: ALSAHandle) -> Int32 { answer("prepare") }

    func start(_ pcm: ALSAHandle) -> Int32 {
        let status = answer("start")
        defer { interrupt(at: "start") }
        return script.withLock { $0.starts.isEmpty ? status : $0.starts.removeFirst() }
    }

    func resume(_ pcm: ALSAHandle) -> Int32 {
        _ = answer("resume")
        return script.withLock { $0.resumes.isEmpty ? 0 : $0.resumes.removeFirst() }
    }

    func drop(_ pcm: ALSAHandle) -> Int32 { answer("drop") }

    func avail(_ pcm: ALSAHandle) -> Int {
        _ = answer("avail")
        defer { interrupt(at: "avail") }
        return script.withLock { $0.avails.isEmpty ? $0.waiting : $0.avails.removeFirst() }
    }

    func forward(_ pcm: ALSAHandle, frames: Int) -> Int {
        script.withLock { script in
            let count = script.forwards.isEmpty ? frames : script.forwards.removeFirst()
            if count > 0 {
                script.skipped.append(count)
                script.nextFrame &+= Int16(truncatingIfNeeded: count)
            }
            return count
        }
    }

    func htimestamp(_ pcm: ALSAHandle) -> (status: Int32, availableFrames: Int, nanoseconds: Int64) {
        script.withLock { ($0.failures["htimestamp"] ?? 0, $0.waiting, $0.stamp) }
    }

    func reading(of clock: SystemClockID) -> Int64 {
        interrupt(at: "reading")
        return script.withLock { $0.clocks[clock] ?? 0 }
    }

    func readi(_ pcm: ALSAHandle, into buffer: inout MutableRawSpan, frames: Int) -> Int {
        _ = answer("readi")
        return script.withLock { script in
            let count = script.reads.isEmpty ? -11 : min(script.reads.removeFirst(), frames)
            for frame in 0..<max(0, count) {
                script.store(frame, &buffer)
                script.nextFrame &+= 1
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

    func hwParamsTestFormat(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ layout: SampleLayout) -> Int32 {
        script.withLock { $0.layouts.contains(layout) ? 0 : -22 }
    }

    func hwParamsSetFormat(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ layout: SampleLayout) -> Int32 {
        script.withLock { $0.chosen = layout }
        return hwParamsTestFormat(pcm, parameters, layout)
    }

    func hwParamsTestChannels(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ count: UInt32) -> Int32 {
        script.withLock { $0.channels.contains(count) ? 0 : -22 }
    }

    func hwParamsSetChannels(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ count: UInt32) -> Int32 {
        script.withLock { $0.chosenChannels = Int(count) }
        return hwParamsTestChannels(pcm, parameters, count)
    }

    func hwParamsGetChannels(_ parameters: ALSAHandle) -> ClosedRange<UInt32>? { script.withLock { $0.channels } }

    func hwParamsTestRate(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ rate: UInt32) -> Int32 {
        script.withLock { $0.rates.contains(rate) ? 0 : -22 }
    }

    func hwParamsSetRate(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ rate: UInt32) -> Int32 {
        hwParamsTestRate(pcm, parameters, rate)
    }

    func hwParamsGetRate(_ parameters: ALSAHandle) -> ClosedRange<UInt32>? { script.withLock { $0.rates } }

    func hwParamsGetBufferSizeMax(_ parameters: ALSAHandle) -> UInt? { script.withLock { $0.largestBuffer } }

    func hwParamsSetPeriodSizeNear(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        script.withLock { $0.asked["period"] = frames }
        return answer("setPeriodSizeNear")
    }

    func hwParamsSetBufferSizeNear(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        script.withLock { $0.asked["buffer"] = frames }
        return answer("setBufferSizeNear")
    }

    func hwParams(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 { answer("hwParams") }

    func getParams(_ pcm: ALSAHandle) -> (status: Int32, bufferFrames: UInt, periodFrames: UInt) {
        let status = answer("getParams")
        return script.withLock { (status, $0.bufferFrames, $0.periodFrames) }
    }

    func swParamsMalloc() -> (status: Int32, parameters: ALSAHandle?) { acquire("swParamsMalloc") }
    func swParamsFree(_ parameters: ALSAHandle) { _ = release("swParamsFree") }
    func swParamsCurrent(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 { answer("swParamsCurrent") }
    func swParamsGetBoundary(_ parameters: ALSAHandle) -> UInt { 1 << 40 }

    func swParamsSetAvailMin(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        script.withLock { $0.thresholds["wake"] = frames }
        return answer("setAvailMin")
    }

    func swParamsSetStartThreshold(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        script.withLock { $0.thresholds["start"] = frames }
        return answer("setStartThreshold")
    }

    func swParamsSetStopThreshold(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        script.withLock { $0.thresholds["stop"] = frames }
        return answer("setStopThreshold")
    }

    func swParamsSetTimestamps(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 { answer("setTimestamps") }

    func swParams(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 { answer("swParams") }

    func isHardware(_ pcm: ALSAHandle) -> Bool { script.withLock { $0.isHardware } }

    func info(_ pcm: ALSAHandle) -> PCMPlace? {
        script.withLock { $0.hardware == nil ? nil : PCMPlace(card: 0, device: 0, subdevice: 0) }
    }

    func hardwareFormat(at place: PCMPlace) -> HardwareFormat? { script.withLock { $0.hardware } }

    func deviceHints() -> (status: Int32, hints: [PCMHint]) { (answer("deviceHints"), script.withLock { $0.hints }) }
    func cards(isBrief: Bool) -> [SoundCard] { script.withLock { $0.cards } }
    func defaultPCM() -> DefaultPCM { script.withLock { $0.standard } }
}

/// A clock that stands still until it is told otherwise; waiting ends at once, or moves it to the deadline.
final class StepClock: AudioClock {
    private let time = Lock(MonotonicInstant(nanoseconds: 1_000_000_000_000))
    let waits = Lock(0)
    /// Whether the first place of a set counts as ready.
    let isReady: Bool
    /// Whether waiting looks at the descriptors first.
    let looks = Lock(false)

    init(isReady: Bool = false) { self.isReady = isReady }

    var now: MonotonicInstant { time.withLock { $0 } }

    func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }

    func wait(for descriptors: borrowing DescriptorSet, until deadline: MonotonicInstant?) -> Int {
        waits.withLock { $0 += 1 }
        if looks.withLock({ $0 }) {
            let ready = descriptors.poll(nanoseconds: 0)
            if ready > 0 { return ready }
        }
        // A set of one is the wake-up alone.
        if isReady, descriptors.count > 1 { return 1 }
        if let deadline { time.withLock { $0 = max($0, deadline) } }
        return 0
    }
}
