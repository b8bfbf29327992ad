import VoiceAudioCore

/// Hands out the frames of a supply as a device would: by the period, from a buffer that runs over.
///
/// Every position is computed from the start, so the pace does not drift.
final class SimulatedStream: CaptureStream {
    let report: CaptureReport

    private let supply: any FrameSupply
    private let isPaced: Bool
    private let clock: any AudioClock
    private var descriptors = DescriptorSet(count: 1)
    private var startInstant: MonotonicInstant
    /// Frames handed out or lost.
    private var position = 0
    /// Frames there are; `nil` where there is no end.
    private var end: Int?

    init(
        _ supply: any FrameSupply, name: String, pace: SimulatedSource.Pace, request: CaptureRequest,
        clock: any AudioClock
    ) throws(AudioError) {
        self.supply = supply
        self.clock = clock
        isPaced = pace == .realTime
        startInstant = clock.now
        end = supply.frameCount
        // What sound cards are asked for: four periods, and at least half a second.
        let bufferFrames = max(4 * request.chunkFrameCount, request.format.sampleRateHz / 2)
        report = CaptureReport(
            source: name, format: request.format, hardware: supply.origin, conversions: supply.conversions,
            requestedPeriodFrames: request.chunkFrameCount, periodFrames: request.chunkFrameCount,
            requestedBufferFrames: isPaced ? bufferFrames : 0, bufferFrames: isPaced ? bufferFrames : 0)
    }

    func start() throws(AudioError) { startInstant = clock.now }

    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {
        descriptors.watch(wakeUp.descriptor, at: 0)
        let next = isPaced ? arrival(ofFrames: nextArrival) : clock.now
        _ = clock.wait(for: descriptors, until: next)
    }

    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead {
        let room = buffer.byteCount / report.format.bytesPerFrame
        let remaining = end.map { $0 - position } ?? .max
        guard remaining > 0 else { return .ended }
        let available = isPaced ? arrivedFrames - position : min(room, remaining)
        guard available > 0, room > 0 else { return .nothing }
        if isPaced && available > report.bufferFrames {
            let lost = available - report.bufferFrames
            position += lost
            return .lost(AudioLoss(frames: lost, cause: .deviceOverrun))
        }
        let captureTime = startInstant.advanced(by: report.format.duration(ofFrames: position))
        let count = try supply.fill(&buffer, frameCount: min(available, room), from: position)
        guard count > 0 else {
            end = position
            return .ended
        }
        position += count
        return .frames(count, captureTime: captureTime)
    }

    func close() {}

    /// Frames that have arrived since the start: whole periods, and all at the end.
    private var arrivedFrames: Int {
        let elapsed = report.format.frameCount(in: startInstant.duration(to: clock.now))
        if let end, elapsed >= end { return end }
        return elapsed / report.periodFrames * report.periodFrames
    }

    /// The number of frames, from the start, that completes the next period or the sound.
    private var nextArrival: Int {
        let next = (position / report.periodFrames + 1) * report.periodFrames
        return end.map { min($0, next) } ?? next
    }

    /// The first nanosecond at which `frameCount` frames have arrived.
    private func arrival(ofFrames frameCount: Int) -> MonotonicInstant {
        let duration = report.format.duration(ofFrames: frameCount)
        let isWhole = report.format.frameCount(in: duration) == frameCount
        return startInstant.advanced(by: isWhole ? duration : duration + .nanoseconds(1))
    }
}
