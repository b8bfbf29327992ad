import VoiceAudio

/// One run of `voice-audio record`: a subscription of its own, written away as it comes.
struct Recorder {
    private let configuration: AudioConfiguration
    /// Frames to record; `nil` for no end.
    private let frameLimit: Int?
    private let output: RecordingOutput
    private let hasMeter: Bool

    init(configuration: AudioConfiguration, length: Duration?, output: RecordingOutput, hasMeter: Bool) {
        self.configuration = configuration
        frameLimit = length.map { max(1, configuration.format.frameCount(in: $0)) }
        self.output = output
        self.hasMeter = hasMeter
    }

    func run(reportsJSON: Bool) throws(CommandFailure) {
        do throws(AudioError) {
            let interruption = try Interruption()
            let processor = try AudioProcessor(
                configuration: configuration, logSink: StandardErrorLogSink(for: configuration))
            defer { processor.cleanup() }
            // Half a minute of patience for a slow disk. What does not fit is counted, and told.
            let subscription = try processor.subscribe(
                chunks: max(16, chunks(in: .seconds(30))), overflow: .uniform(.dropNewest))
            var commentary = try Commentary(on: processor)
            let monitor = hasMeter ? try MemoryPressureMonitor(configuration: configuration) : nil
            var line = try LiveLine(meterOf: monitor)
            try processor.arm()
            var sink = try RecordingSink(output: output, configuration: configuration)
            var failure: AudioError?
            do throws(AudioError) {
                try record(
                    subscription, from: processor, into: &sink, showing: &line, saying: &commentary,
                    until: interruption)
            } catch {
                failure = error
            }
            do throws(AudioError) { try sink.finish() } catch { failure = failure ?? error }
            line.end()
            let report = RecordReport(sink: sink, error: failure, processor: processor)
            try finish(report, asJSON: reportsJSON)
            if let failure { throw failure }
        } catch {
            throw CommandFailure(error)
        }
    }

    private func record(
        _ subscription: AudioSubscription, from processor: AudioProcessor, into sink: inout RecordingSink,
        showing line: inout LiveLine, saying commentary: inout Commentary, until interruption: Interruption
    ) throws(AudioError) {
        // Waking for every chunk is only worth it where somebody watches or listens; a crash costs what waits here, and a
        // stall is told that much later.
        let isWatched = line.isShown || sink.isPipe
        let batch =
            isWatched ? 1 : max(1, chunks(in: .milliseconds(100)), min(2, chunks(in: .milliseconds(250))))
        let anything = try ReadableAny()
        try anything.watch(interruption.descriptor)
        try anything.watch(commentary.descriptor)
        try anything.watch(line.descriptor)
        while true {
            let wanted = min(batch, missingChunks(in: sink) ?? batch)
            let hasChunks = try subscription.waitForChunks(wanted, interrupt: anything.descriptor)
            // Asked to end: what is there already still belongs to it.
            let isInterrupted = interruption.isAsked
            try drain(subscription, into: &sink, saying: &commentary)
            if isInterrupted || sink.isFull(at: frameLimit) { return }
            // The capture is over, and all of it was taken.
            if !hasChunks, subscription.buffer.isClosed, try subscription.isOver() { return }
            try commentary.speak()
            line.show(sink, processor)
        }
    }

    private func drain(
        _ subscription: AudioSubscription, into sink: inout RecordingSink, saying commentary: inout Commentary
    ) throws(AudioError) {
        do {
            while !sink.isFull(at: frameLimit),
                try subscription.buffer.consumeOldest({ (header, bytes) -> Void in
                    if let loss = header.lossBefore { commentary.note(loss) }
                    try sink.append(header, bytes, frameLimit: frameLimit)
                }) != nil
            {}
            try sink.flush()
        } catch let error as AudioError {
            throw error
        } catch {
            throw AudioError(.notWritable, "\(error)")
        }
    }

    private func chunks(in duration: Duration) -> Int {
        configuration.format.frameCount(in: duration) / configuration.chunkFrameCount
    }

    /// Chunks that are still asked for, at least 1; `nil` for no end.
    private func missingChunks(in sink: RecordingSink) -> Int? {
        sink.missingFrameCount(to: frameLimit).map { max(1, ($0 - 1) / configuration.chunkFrameCount + 1) }
    }

    private func finish(_ report: RecordReport, asJSON: Bool) throws(AudioError) {
        if asJSON {
            do throws(CommandFailure) { try printJSON(report, toStandardError: report.output == "-") } catch {
                throw AudioError(.notWritable, error.message)
            }
        } else {
            printError(report.text)
        }
    }
}
