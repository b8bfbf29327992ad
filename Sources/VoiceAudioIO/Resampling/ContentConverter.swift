package import VoiceAudioCore

/// Converts what a ring holds for one of another format: rates by libsamplerate, samples, and channels into one or out of one.
package struct ContentConverter: Sendable {
    private let source: AudioFormat
    private let target: AudioFormat

    /// - Throws: `unsupportedFormat` where the channels do not fit, or the rates.
    package init(from source: AudioFormat, to target: AudioFormat) throws(AudioError) {
        guard source.channelCount == target.channelCount || source.channelCount == 1 || target.channelCount == 1 else {
            throw AudioError(
                .unsupportedFormat,
                "what was captured as \(source) cannot become \(target): accepted are as many channels, or one")
        }
        self.source = source
        self.target = target
        if let refusal = Resampler.refusal(from: source.sampleRateHz, to: target.sampleRateHz) { throw refusal }
    }

    /// Copies all that a ring of the one format holds into one of the other, with its times and losses.
    ///
    /// Frames between two losses are converted as one sound. Positions are those of the new rate.
    ///
    /// - Parameters:
    ///   - old: Has no producer at work, and no consumer. It is over: its content stays as it is.
    ///   - producer: Of a ring that is new.
    /// - Throws: `unsupportedFormat` where libsamplerate fails, `outOfResources`.
    package func copyContent(
        of old: BoundedAudioBuffer, into producer: inout BoundedAudioBuffer.Producer
    ) throws(AudioError) {
        let content = FrozenAudio(freezing: old)
        let chunks = content.chunks
        let end = content.endFramePosition - (content.lossAtEnd?.frames ?? 0)
        let start = chunks.first.map { $0.header.framePosition - ($0.header.lossBefore?.frames ?? 0) } ?? end
        producer.buffer.startNumbering(
            atSequenceNumber: chunks.first?.header.sequenceNumber ?? old.nextNumbers.sequenceNumber,
            framePosition: scaled(start))
        var run: ArraySlice<FrozenAudio.Chunk> = []
        for (index, chunk) in chunks.enumerated() {
            if let loss = chunk.header.lossBefore {
                try convert(run, of: content, into: &producer)
                run = []
                producer.noteLoss(scaled(loss))
            }
            run = chunks[(index - run.count)...index]
        }
        try convert(run, of: content, into: &producer)
        if let loss = content.lossAtEnd { producer.noteLoss(scaled(loss)) }
    }

    /// Converts frames of which none is missing.
    private func convert(
        _ run: ArraySlice<FrozenAudio.Chunk>, of content: FrozenAudio,
        into producer: inout BoundedAudioBuffer.Producer
    ) throws(AudioError) {
        guard let first = run.first else { return }
        let channelCount = min(source.channelCount, target.channelCount)
        var resampler = try Resampler(
            from: source.sampleRateHz, to: target.sampleRateHz, channelCount: channelCount)
        var frameCount = 0
        for (index, chunk) in zip(run.indices, run) {
            let isEnd = index == run.endIndex - 1
            let samples = try resampler.convert(
                samples(of: chunk, in: content, channelCount: channelCount), isEnd: isEnd)
            let time = first.header.captureTime.advanced(by: target.duration(ofFrames: frameCount))
            frameCount += samples.count / channelCount
            let bytes = frames(of: samples, channelCount: channelCount)
            // SAFETY: the bytes of initialised plain values.
            producer.appendInPieces(unsafe bytes.span.bytes, captureTime: time)
        }
    }

    /// A chunk's samples, interleaved in `channelCount` channels.
    private func samples(of chunk: FrozenAudio.Chunk, in content: FrozenAudio, channelCount: Int) -> [Float] {
        let converter = FrameConverter(
            from: SampleLayout(source.sampleFormat), channelCount: source.channelCount,
            to: AudioFormat(sampleRateHz: source.sampleRateHz, channelCount: channelCount, sampleFormat: .f32),
            mono: .mix)
        let frameCount = chunk.header.frameCount
        var samples = [Float](repeating: 0, count: frameCount * channelCount)
        content.withBytes { bytes in
            // SAFETY: both live through the call, and hold as many frames.
            unsafe bytes.extracting(chunk.byteRange).withUnsafeBytes { source in
                unsafe samples.withUnsafeMutableBytes { room in
                    unsafe converter.convert(source, into: room, frameCount: frameCount)
                }
            }
        }
        return samples
    }

    /// The bytes of the target's frames; one channel becomes as many as it has.
    private func frames(of samples: [Float], channelCount: Int) -> [UInt8] {
        let layout = SampleLayout(target.sampleFormat)
        let repeats = target.channelCount / channelCount
        // SAFETY: all bytes of the room are written.
        return unsafe [UInt8](
            unsafeUninitializedCapacity: samples.count * repeats * layout.bytesPerSample
        ) { room, count in
            // SAFETY: room for every sample, as reckoned above.
            let bytes = UnsafeMutableRawBufferPointer(room)
            for index in 0..<samples.count * repeats {
                unsafe layout.store(Double(samples[index / repeats]), to: bytes, at: index)
            }
            count = bytes.count
        }
    }

    private func scaled(_ frames: Int) -> Int { target.frames(frames, of: source) }

    private func scaled(_ loss: AudioLoss) -> AudioLoss {
        AudioLoss(frames: scaled(loss.frames), cause: loss.cause, isExact: loss.isExact)
    }
}
