import VoiceAudioCore

/// What a PCM was brought to.
struct PCMSetup {
    var periodFrames: Int
    var bufferFrames: Int
    /// What the sound card runs at, where that differs from what is delivered.
    var hardware: String?
}

extension PCM {
    /// Sets format, channels and rate exactly, period and buffer as near as the device has them.
    ///
    /// - Throws: `unsupportedFormat` with what the device can do, `busy` (some plugins notice only here),
    ///   `deviceFailed` or `outOfResources`.
    borrowing func negotiate(_ request: CaptureRequest) throws(AudioError) -> PCMSetup {
        let parameters = try HardwareParameters(calls: calls)
        try check(calls.hwParamsAny(handle, parameters.handle), .negotiate)
        guard calls.hwParamsSetAccess(handle, parameters.handle) >= 0 else {
            throw AudioError(
                .unsupportedFormat,
                "\(device) does not deliver interleaved frames; \(Self.converting(device)) converts")
        }
        let format = request.format
        guard calls.hwParamsSetFormat(handle, parameters.handle, format.sampleFormat) >= 0,
            calls.hwParamsSetChannels(handle, parameters.handle, UInt32(clamping: format.channelCount)) >= 0,
            calls.hwParamsSetRate(handle, parameters.handle, UInt32(clamping: format.sampleRateHz)) >= 0
        else {
            throw AudioError(
                .unsupportedFormat,
                "\(device) cannot capture \(format); it can: \(try whatItCan()). \(Self.converting(device)) converts")
        }
        // A period a chunk, so that the thread wakes once a chunk; four periods and 200 ms of room at least, so that
        // a thread kept waiting loses nothing. The device answers with what it has that is nearest.
        let chunk = max(1, request.chunkFrameCount)
        try check(calls.hwParamsSetPeriodSizeNear(handle, parameters.handle, UInt(chunk)), .negotiate)
        let room = max(4 * chunk, format.frameCount(in: .milliseconds(200)))
        try check(calls.hwParamsSetBufferSizeNear(handle, parameters.handle, UInt(room)), .negotiate)
        try check(calls.hwParams(handle, parameters.handle), .negotiate)
        let (status, bufferFrames, periodFrames) = calls.getParams(handle)
        try check(status, .negotiate)
        guard periodFrames > 0, bufferFrames >= periodFrames else {
            throw AudioError(
                .deviceFailed, "\(device) set a period of \(periodFrames) and a buffer of \(bufferFrames) frames")
        }
        var setup = PCMSetup(periodFrames: Int(periodFrames), bufferFrames: Int(bufferFrames))
        try setThresholds(setup, chunk: chunk)
        setup.hardware = calls.info(handle).flatMap { SoundCardFiles.hardwareFormat(of: $0, unless: format) }
        return setup
    }

    /// All thresholds stand here: when the device wakes us, starts and stops.
    private borrowing func setThresholds(_ setup: PCMSetup, chunk: Int) throws(AudioError) {
        let parameters = try SoftwareParameters(calls: calls)
        try check(calls.swParamsCurrent(handle, parameters.handle), .negotiate)
        // Once a chunk, where the buffer holds a few of them; else at each period.
        let wakeFrames = setup.bufferFrames >= 3 * chunk ? max(chunk, setup.periodFrames) : setup.periodFrames
        try check(calls.swParamsSetAvailMin(handle, parameters.handle, UInt(wakeFrames)), .negotiate)
        // Never by itself: only `start()` starts.
        let boundary = calls.swParamsGetBoundary(parameters.handle)
        try check(calls.swParamsSetStartThreshold(handle, parameters.handle, max(boundary, 1)), .negotiate)
        // At an overrun, when the buffer is full.
        try check(
            calls.swParamsSetStopThreshold(handle, parameters.handle, UInt(setup.bufferFrames)), .negotiate)
        try check(calls.swParams(handle, parameters.handle), .negotiate)
    }

    /// Rates, channels and formats of the device, in words.
    private borrowing func whatItCan() throws(AudioError) -> String {
        let parameters = try HardwareParameters(calls: calls)
        try check(calls.hwParamsAny(handle, parameters.handle), .negotiate)
        var parts: [String] = []
        if let range = calls.hwParamsGetRate(parameters.handle) {
            let usual: [UInt32] = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000]
            let rates = usual.filter { calls.hwParamsTestRate(handle, parameters.handle, $0) >= 0 }
            let anyRate = range.upperBound - range.lowerBound > 0 && rates.count == usual.filter(range.contains).count
            parts.append(
                anyRate || rates.isEmpty
                    ? "\(Self.text(range)) Hz" : "\(rates.map(String.init).joined(separator: ", ")) Hz")
        }
        if let range = calls.hwParamsGetChannels(parameters.handle) { parts.append("\(Self.text(range)) ch") }
        let formats = SampleFormat.allCases.filter { calls.hwParamsTestFormat(handle, parameters.handle, $0) >= 0 }
        parts.append(formats.isEmpty ? "no format of ours" : formats.map(\.rawValue).joined(separator: ", "))
        return parts.joined(separator: "; ")
    }

    private static func text(_ range: ClosedRange<UInt32>) -> String {
        range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }

    /// The name to use for the same device with conversion.
    private static func converting(_ device: String) -> String {
        device.hasPrefix("hw:") ? "\"plug\(device)\"" : "\"plug:'\(device)'\" or \"default\""
    }
}
