import VoiceAudioCore

/// A PCM opened for a request: as it is named, or behind ALSA's plug layer where it lacks only the rate.
struct NegotiatedPCM: ~Copyable {
    let pcm: PCM
    let setup: PCMSetup
    /// Whether ALSA converts the rate because the device named does not have it.
    let isRateConverted: Bool

    /// - Throws: What opening and negotiating throw. What was opened on the way is closed again.
    init(
        opening device: String, for request: CaptureRequest, calls: any ALSACalls
    ) throws(AudioError) {
        var pcm: PCM? = try PCM(opening: device, calls: calls)
        var shape = try Self.shape(of: pcm, for: request)
        let isRateConverted = !shape.hasRate && !device.hasPrefix("plug:")
        if isRateConverted {
            // Closed before it is opened again: a sound card is opened once only.
            pcm = nil
            pcm = try PCM(opening: PCM.converting(device), calls: calls)
            // Of the layouts and channels, those that the device has: ALSA is to convert nothing but the rate.
            shape.hasRate = try Self.shape(of: pcm, for: request).hasRate
        }
        guard let opened = pcm.take() else { preconditionFailure("opened above") }
        guard shape.hasRate else { throw try opened.cannotDeliver(request) }
        let setup = try opened.negotiate(request, as: shape)
        try setup.checkChannel(of: request, device: device)
        self.setup = setup
        self.isRateConverted = isRateConverted
        self.pcm = opened
    }

    /// The PCM alone.
    consuming func takePCM() -> PCM { pcm }

    private static func shape(
        of pcm: borrowing PCM?, for request: CaptureRequest
    ) throws(AudioError) -> PCMShape {
        switch pcm {
        case .some(let pcm): return try pcm.shape(for: request)
        case .none: preconditionFailure("asked for what was closed")
        }
    }
}

extension PCMSetup {
    /// Behind `plughw` any channel can be asked for: ALSA repeats those that there are.
    ///
    /// - Throws: `unsupportedFormat` where the one chosen is not the sound card's own.
    fileprivate func checkChannel(of request: CaptureRequest, device: String) throws(AudioError) {
        guard request.format.channelCount == 1, case .channel(let number) = request.monoChannel,
            device.hasPrefix("plughw:"), let hardware, number > hardware.channelCount
        else { return }
        throw AudioError(
            .unsupportedFormat,
            "\(device) has no channel \(number): its hardware captures \(hardware). Choose one of 1 to "
                + "\(hardware.channelCount), or the mean")
    }

    /// What is done to the device's frames on the way, in words.
    func conversions(for request: CaptureRequest, isRateConverted: Bool) -> [String] {
        var conversions: [String] = []
        let hardwareRate = hardware?.sampleRateHz ?? request.format.sampleRateHz
        if isRateConverted || hardwareRate != request.format.sampleRateHz {
            let rate = hardware.map { "\($0.sampleRateHz)" } ?? "the device's rate"
            conversions.append("\(rate) to \(request.format.sampleRateHz) Hz by ALSA")
        }
        // What plugins do before we get the frames.
        if let hardware, hardware.layout != shape.layout.rawValue {
            conversions.append("\(hardware.layout) to \(shape.layout.rawValue) by ALSA")
        }
        if let hardware, hardware.channelCount != shape.channelCount {
            conversions.append("\(hardware.channelCount) to \(shape.channelCount) channels by ALSA")
        }
        if shape.layout != SampleLayout(request.format.sampleFormat) {
            conversions.append("\(shape.layout.rawValue) to \(request.format.sampleFormat.rawValue)")
        }
        if shape.channelCount != request.format.channelCount {
            conversions.append(request.monoChannel.conversion(from: shape.channelCount))
        }
        return conversions
    }
}
