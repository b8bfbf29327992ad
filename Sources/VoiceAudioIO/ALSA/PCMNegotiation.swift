import VoiceAudioCore

/// What a PCM was brought to.
struct PCMSetup {
    var shape: PCMShape
    var requestedPeriodFrames: Int
    var requestedBufferFrames: Int
    var periodFrames: Int
    var bufferFrames: Int
    /// What the sound card runs at, where that is known.
    var hardware: HardwareFormat?
    /// Whether the PCM goes on when its buffer runs over, and skips exactly as many frames as it is told to.
    var countsLossExactly: Bool
}

extension PCM {
    /// Sets layout, channels and rate exactly, period and buffer as near as the device has them.
    ///
    /// - Throws: `unsupportedFormat` with what the device can do, `busy` (some plugins notice only here),
    ///   `deviceFailed` or `outOfResources`.
    borrowing func negotiate(_ request: CaptureRequest, as shape: PCMShape) throws(AudioError) -> PCMSetup {
        let parameters = try HardwareParameters(calls: calls)
        try check(calls.hwParamsAny(handle, parameters.handle), .negotiate)
        let rate = UInt32(clamping: request.format.sampleRateHz)
        guard calls.hwParamsSetAccess(handle, parameters.handle) >= 0,
            calls.hwParamsSetFormat(handle, parameters.handle, shape.layout) >= 0,
            calls.hwParamsSetChannels(handle, parameters.handle, UInt32(shape.channelCount)) >= 0,
            calls.hwParamsSetRate(handle, parameters.handle, rate) >= 0
        else { throw try cannotDeliver(request) }
        // A period a chunk, so that the thread wakes once a chunk; four periods and 200 ms of room at least, so that
        // a thread kept waiting loses nothing. Where the device cannot hold that much, shorter periods.
        let chunk = max(1, request.chunkFrameCount)
        let wanted = max(4 * chunk, request.format.frameCount(in: .milliseconds(200)))
        let largest = calls.hwParamsGetBufferSizeMax(parameters.handle).map { Int(clamping: $0) } ?? wanted
        let room = min(wanted, largest)
        let period = max(1, min(chunk, room / 4))
        // The device answers with what it has that is nearest.
        try check(calls.hwParamsSetPeriodSizeNear(handle, parameters.handle, UInt(period)), .negotiate)
        try check(calls.hwParamsSetBufferSizeNear(handle, parameters.handle, UInt(room)), .negotiate)
        try check(calls.hwParams(handle, parameters.handle), .negotiate)
        let (status, bufferFrames, periodFrames) = calls.getParams(handle)
        try check(status, .negotiate)
        guard periodFrames > 0, bufferFrames >= periodFrames else {
            throw AudioError(
                .deviceFailed, "\(device) set a period of \(periodFrames) and a buffer of \(bufferFrames) frames")
        }
        let hardware = calls.info(handle).flatMap { calls.hardwareFormat(at: $0) }
        let setup = PCMSetup(
            shape: shape, requestedPeriodFrames: period, requestedBufferFrames: room, periodFrames: Int(periodFrames),
            bufferFrames: Int(bufferFrames), hardware: hardware,
            countsLossExactly: calls.isHardware(handle)
                || Self.passesFramesOneToOne(hardware, rate: rate, bufferFrames: bufferFrames))
        try setThresholds(setup, chunk: chunk)
        return setup
    }

    /// Whether plugins between the hardware and us leave the frames where they are: none converts the rate, none
    /// holds more than the hardware does. Skipping through them skips as much in the hardware.
    private static func passesFramesOneToOne(_ hardware: HardwareFormat?, rate: UInt32, bufferFrames: UInt) -> Bool {
        guard let hardware else { return false }
        return hardware.sampleRateHz == rate && hardware.bufferFrames >= bufferFrames
    }

    /// All thresholds stand here: when the device wakes us, starts and stops.
    private borrowing func setThresholds(_ setup: PCMSetup, chunk: Int) throws(AudioError) {
        let parameters = try SoftwareParameters(calls: calls)
        try check(calls.swParamsCurrent(handle, parameters.handle), .negotiate)
        // Once a chunk, where the buffer holds a few of them; else at each period.
        let wakeFrames = setup.bufferFrames >= 3 * chunk ? max(chunk, setup.periodFrames) : setup.periodFrames
        try check(calls.swParamsSetAvailMin(handle, parameters.handle, UInt(wakeFrames)), .negotiate)
        // Never by itself: only `start()` starts.
        let boundary = max(calls.swParamsGetBoundary(parameters.handle), 1)
        try check(calls.swParamsSetStartThreshold(handle, parameters.handle, boundary), .negotiate)
        // Never, where what is lost can be counted while it goes on; else when the buffer is full.
        let stop = setup.countsLossExactly ? boundary : UInt(setup.bufferFrames)
        try check(calls.swParamsSetStopThreshold(handle, parameters.handle, stop), .negotiate)
        try check(calls.swParamsSetTimestamps(handle, parameters.handle), .negotiate)
        try check(calls.swParams(handle, parameters.handle), .negotiate)
    }
}
