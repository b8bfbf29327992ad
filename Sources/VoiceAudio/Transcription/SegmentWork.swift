import VoiceAudioCore
import VoiceAudioIO
import VoiceAudioMemory

/// How each segment is worked on, and when the next is begun.
struct SegmentWork<SomeTranscriber: Transcriber>: Sendable {
    let transcriber: SomeTranscriber
    let language: String?
    let options: SegmentOptions
    let clock: any AudioClock

    private enum Event: Sendable {
        case result(SegmentResult)
        /// Time to look for memory again.
        case look
    }

    func run(
        _ segments: some Sequence<TranscriptionSegment>, pacing: (any SegmentPacing)?,
        deliver: (SegmentResult) throws -> Void
    ) async throws {
        try options.check(needsNamedFile: transcriber.needsNamedFile)
        try await withThrowingTaskGroup(of: Event.self) { group in
            var remaining = segments.makeIterator()
            var next = remaining.next()
            var queue = ResultQueue()
            var runningCount = 0
            var isLooking = false
            var pauseStart: MonotonicInstant?
            while next != nil || runningCount > 0 {
                while !Task.isCancelled, let segment = next, runningCount < limit(pacing, segment),
                    queue.waitingCount / 4 < options.concurrency
                {
                    let admission = pacing?.canProceed("transcription", estimatedBytes: segment.estimatedBytes)
                    if case .refused(let reason) = admission {
                        let start = pauseStart ?? clock.now
                        pauseStart = start
                        guard start.duration(to: clock.now) >= options.maxPause else { break }
                        try queue.finish(refusal(of: queue.begin(), reason: reason), deliver: deliver)
                    } else {
                        pauseStart = nil
                        let index = queue.begin()
                        runningCount += 1
                        group.addTask { .result(await result(of: segment, index: index, pacing: pacing)) }
                    }
                    next = remaining.next()
                }
                if pauseStart != nil, next != nil, !isLooking {
                    isLooking = true
                    group.addTask {
                        await clock.sleep(for: options.pauseInterval)
                        return .look
                    }
                }
                let event = try await group.next()
                guard !Task.isCancelled else {
                    throw AudioError(.cancelled, "the transcription of segments was cancelled")
                }
                switch event {
                case .result(let result):
                    runningCount -= 1
                    try queue.finish(result, deliver: deliver)
                case .look: isLooking = false
                case nil: break
                }
            }
            group.cancelAll()
        }
    }

    /// Segments like `next` to work on at once.
    private func limit(_ pacing: (any SegmentPacing)?, _ next: TranscriptionSegment) -> Int {
        guard let pacing else { return options.concurrency }
        let size = pacing.recommendedBatchSize(normal: options.concurrency, itemBytes: next.estimatedBytes)
        return max(1, min(options.concurrency, size))
    }

    private func refusal(of index: Int, reason: String) -> SegmentResult {
        let message = "segment \(index) was given up: for \(options.maxPause) there was too little memory: \(reason)"
        return SegmentResult(
            index: index, outcome: .failure(AudioError(.memoryPressure, message)), attempts: 0, elapsed: .zero)
    }

    private func result(
        of segment: TranscriptionSegment, index: Int, pacing: (any SegmentPacing)?
    ) async -> SegmentResult {
        let start = clock.now
        var attempts = 0
        var delay = options.retryDelay
        while true {
            attempts += 1
            let outcome = await outcome(of: segment)
            if case .failure(let error) = outcome, attempts < options.maxAttempts,
                options.retriedCodes.contains(error.code)
            {
                await clock.sleep(for: delay)
                delay *= 2
                if await hasRoom(for: segment, pacing) && !Task.isCancelled { continue }
            }
            return SegmentResult(
                index: index, outcome: outcome, attempts: attempts, elapsed: start.duration(to: clock.now))
        }
    }

    /// Waits for memory for a further attempt, as long as for a first one.
    private func hasRoom(for segment: TranscriptionSegment, _ pacing: (any SegmentPacing)?) async -> Bool {
        let start = clock.now
        while case .refused = pacing?.canProceed("transcription", estimatedBytes: segment.estimatedBytes) {
            guard start.duration(to: clock.now) < options.maxPause, !Task.isCancelled else { return false }
            await clock.sleep(for: options.pauseInterval)
        }
        return true
    }

    /// One attempt.
    private func outcome(of segment: TranscriptionSegment) async -> Result<Transcript, AudioError> {
        do {
            var transcript = try await transcript(of: segment.content())
            if let sanitizer = options.sanitizer { transcript.text = sanitizer.sanitize(transcript.text) }
            let rejection = options.validator?.rejection(of: transcript.text)
            return rejection.map { .failure($0.error) } ?? .success(transcript)
        } catch let error as AudioError {
            return .failure(error)
        } catch is CancellationError {
            return .failure(AudioError(.cancelled, "the transcription was cancelled"))
        } catch {
            return .failure(AudioError(.transcriberFailed, "the transcriber failed: \(error)"))
        }
    }

    private func transcript(of content: WAVContent) async throws -> Transcript {
        if let storage = options.storage {
            return try await content.withTemporaryWAV(in: storage) { wav in
                try await transcriber.transcribe(wav, language: language)
            }
        }
        let place = TemporaryPlace(
            named: transcriber.needsNamedFile, directory: options.directory, minimumFreeBytes: options.minimumFreeBytes)
        return try await content.withTemporaryWAV(in: place) { wav in
            try await transcriber.transcribe(wav, language: language)
        }
    }
}

/// Results that wait for an earlier one.
private struct ResultQueue {
    private var begunCount = 0
    private var deliveredCount = 0
    private var waiting: [Int: SegmentResult] = [:]

    /// Segments begun without a result delivered.
    var waitingCount: Int { begunCount - deliveredCount }

    /// The index of the next segment.
    mutating func begin() -> Int {
        defer { begunCount += 1 }
        return begunCount
    }

    /// Hands over what is next in order.
    mutating func finish(_ result: SegmentResult, deliver: (SegmentResult) throws -> Void) rethrows {
        waiting[result.index] = result
        while let next = waiting.removeValue(forKey: deliveredCount) {
            deliveredCount += 1
            try deliver(next)
        }
    }
}
