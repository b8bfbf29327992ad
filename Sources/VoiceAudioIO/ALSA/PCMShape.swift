import VoiceAudioCore

/// What a PCM can deliver that comes nearest to a request.
struct PCMShape: Equatable {
    var layout: SampleLayout
    var channelCount: Int
    /// Whether it has the rate asked for.
    var hasRate: Bool
}

extension PCM {
    /// Chooses layout and channels among what the PCM has: as asked for, or what converts into it best.
    ///
    /// - Throws: `unsupportedFormat` with what the device can do, `busy`, `deviceFailed` or `outOfResources`.
    borrowing func shape(for request: CaptureRequest) throws(AudioError) -> PCMShape {
        let parameters = try HardwareParameters(calls: calls)
        try check(calls.hwParamsAny(handle, parameters.handle), .negotiate)
        guard calls.hwParamsSetAccess(handle, parameters.handle) >= 0 else {
            throw AudioError(
                .unsupportedFormat,
                "\(device) does not deliver interleaved frames\(hint())")
        }
        let layouts = SampleLayout.candidates(for: request.format.sampleFormat)
        guard
            let layout = layouts.first(where: { calls.hwParamsTestFormat(handle, parameters.handle, $0) >= 0 }),
            calls.hwParamsSetFormat(handle, parameters.handle, layout) >= 0,
            let channelCount = channelCount(for: request, parameters),
            calls.hwParamsSetChannels(handle, parameters.handle, UInt32(channelCount)) >= 0
        else { throw try cannotDeliver(request) }
        let rate = UInt32(clamping: request.format.sampleRateHz)
        return PCMShape(
            layout: layout, channelCount: channelCount,
            hasRate: calls.hwParamsTestRate(handle, parameters.handle, rate) >= 0)
    }

    /// As many channels as asked for; for one channel, the fewest that it can be made of.
    private borrowing func channelCount(
        for request: CaptureRequest, _ parameters: borrowing HardwareParameters
    ) -> Int? {
        guard let range = calls.hwParamsGetChannels(parameters.handle) else { return nil }
        func fewest(from count: Int) -> Int? {
            guard count <= Int(range.upperBound) else { return nil }
            // No sound card has more than some dozens of channels; plugins take any number.
            return (max(count, Int(range.lowerBound))...max(count, min(Int(range.upperBound), 256)))
                .first { calls.hwParamsTestChannels(handle, parameters.handle, UInt32($0)) >= 0 }
        }
        guard request.format.channelCount == 1 else {
            return fewest(from: request.format.channelCount).flatMap { $0 == request.format.channelCount ? $0 : nil }
        }
        switch request.monoChannel {
        case .mix: return fewest(from: 1)
        // From two on, so that a plugin does not mix before we choose; a single channel is its own first.
        case .channel(let number): return fewest(from: max(2, number)) ?? (number == 1 ? fewest(from: 1) : nil)
        }
    }

    /// The error for a request that the device cannot deliver, with what it can.
    borrowing func cannotDeliver(_ request: CaptureRequest) throws(AudioError) -> AudioError {
        let channel: String =
            if request.format.channelCount == 1, case .channel(let number) = request.monoChannel {
                " from channel \(number)"
            } else { "" }
        // What converts cannot make a channel that is not there.
        return AudioError(
            .unsupportedFormat,
            "\(device) cannot capture \(request.format)\(channel); it can: \(try whatItCan())"
                + (channel.isEmpty ? hint() : ""))
    }

    /// What to use instead.
    private borrowing func hint() -> String {
        device.hasPrefix("plug") ? "" : ". \"\(Self.converting(device))\" converts"
    }

    /// Rates, channels and layouts of the device, in words.
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
        let layouts = SampleLayout.allCases.filter { calls.hwParamsTestFormat(handle, parameters.handle, $0) >= 0 }
        parts.append(layouts.isEmpty ? "no format of ours" : layouts.map(\.rawValue).joined(separator: ", "))
        return parts.joined(separator: "; ")
    }

    private static func text(_ range: ClosedRange<UInt32>) -> String {
        range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }

    /// The name of the same device behind ALSA's converting layer.
    static func converting(_ device: String) -> String {
        // ALSA takes a name with commas in either kind of quotes.
        device.contains("'") ? "plug:\"\(device)\"" : "plug:'\(device)'"
    }
}
