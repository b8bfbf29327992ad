import VoiceAudioCore

/// Which part of a ring's content a recording is: computed once, when it stops.
struct RecordedRange: Sendable {
    /// The bytes of the content that belong to the recording: whole frames.
    let byteRange: Range<Int>
    let frameCount: Int
    let losses: LossLedger
    /// Frames of the recording that are not there any more because they were too many.
    let truncatedFrameCount: Int
    /// When the first frame was captured; `nil` where there is none.
    let startTime: MonotonicInstant?

    /// - Parameters:
    ///   - start: The stream position of the recording's first frame.
    ///   - maxBytes: The most bytes to hand back: the newest are kept.
    init(of content: FrozenAudio, from start: Int, maxBytes: Int, format: AudioFormat) {
        let bytesPerFrame = format.bytesPerFrame
        let kept = content.chunks.filter { $0.header.framePosition + $0.header.frameCount > start }
        let end = kept.last.map { $0.header.framePosition + $0.header.frameCount } ?? start
        guard let first = kept.first, let last = kept.last else {
            byteRange = 0..<0
            frameCount = 0
            truncatedFrameCount = 0
            startTime = nil
            var losses = LossLedger(sampleRateHz: format.sampleRateHz)
            if let loss = content.lossAtEnd { losses.add(loss, at: 0) }
            self.losses = losses
            return
        }

        // The oldest chunk may begin before the recording does; or after, where the ring evicted what was between.
        let skippedFrames = max(0, start - first.header.framePosition)
        let whole = first.byteRange.lowerBound + skippedFrames * bytesPerFrame..<last.byteRange.upperBound
        let excessFrames = max(0, (whole.count - maxBytes + bytesPerFrame - 1) / bytesPerFrame)
        byteRange = whole.lowerBound + excessFrames * bytesPerFrame..<whole.upperBound
        frameCount = byteRange.count / bytesPerFrame

        var losses = LossLedger(sampleRateHz: format.sampleRateHz)
        let missingAtStart = max(0, first.header.framePosition - start)
        let told = min(first.header.lossBefore?.frames ?? 0, missingAtStart)
        let evicted = missingAtStart - told
        losses.add(AudioLoss(frames: evicted, cause: .ringEvicted), at: 0)
        losses.add(AudioLoss(frames: excessFrames, cause: .recordingLimit), at: evicted)
        for chunk in kept {
            guard var loss = chunk.header.lossBefore else { continue }
            // Of a gap that the recording began in, its own part counts.
            loss.frames = min(loss.frames, max(0, chunk.header.framePosition - start))
            losses.add(loss, at: chunk.header.framePosition - loss.frames - start)
        }
        if let loss = content.lossAtEnd { losses.add(loss, at: end - start) }
        self.losses = losses
        truncatedFrameCount = evicted + excessFrames
        startTime = first.header.captureTime.advanced(by: format.duration(ofFrames: skippedFrames + excessFrames))
    }
}
