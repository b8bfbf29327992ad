package import VoiceAudioCore

/// Calls the handlers of a clean-up, each on a thread of its own that ends with the call.
///
/// A call that throws is noted. One that does not return within its slot is left to itself, on its thread, and its handler
/// is not called again until it has returned. The other handlers are called all the same.
///
/// Nothing is locked during a call: a handler may register others, begin a clean-up, or drop the last reference to who has
/// this.
package final class CleanupRunner: Sendable {
    private let handlers = HandlerTable()
    private let clock: any AudioClock
    private let logSink: any AudioLogSink
    private let slot: Duration

    /// - Parameter slot: How long each call is waited for.
    package init(clock: any AudioClock, logSink: any AudioLogSink, slot: Duration) {
        self.clock = clock
        self.logSink = logSink
        self.slot = slot
    }

    /// Has `handler` called from now on, for as long as it lives. Its name and priority are read once, here.
    package func register(_ handler: any MemoryCleanupHandler) { handlers.add(handler) }

    /// Has `handler` called no more; a call under way goes on.
    func deregister(_ handler: any MemoryCleanupHandler) { handlers.remove(handler) }

    /// Whether a handler is being called on this very thread, which a clean-up may be waiting for.
    var isWithinCall: Bool { handlers.isWithinCall }

    /// Runs the stages one after the other, the mildest first.
    ///
    /// - Parameters:
    ///   - stage: The last one to run.
    ///   - isTimeLeft: Asked before each call; once it says no, no more are made.
    ///   - isStillNeeded: Asked before each but the first.
    package func run(
        upTo stage: MemoryCleanupStage, isTimeLeft: () -> Bool = { true }, isStillNeeded: () -> Bool
    ) -> MemoryCleanupReport {
        let before = ProcessMemory.residentBytes
        var report = MemoryCleanupReport(residentBytesBefore: before, residentBytesAfter: before)
        handlers.prune()
        for next in MemoryCleanupStage.allCases {
            if !report.stages.isEmpty, !isStillNeeded() { break }
            report.stages.append(next)
            let calls = handlers.entries.compactMap { isTimeLeft() ? call($0, next) : nil }
            report.calls += calls
            // What was freed would stay with malloc, where no look at the system's memory sees it.
            if next == .emergency || calls.contains(where: { $0.freedBytes > 0 }) { ProcessMemory.trimHeap() }
            if next == stage { break }
        }
        report.hangingHandlers = handlers.overdueCount
        report.residentBytesAfter = ProcessMemory.residentBytes
        log(report)
        return report
    }

    /// What a call leaves for who waits for it.
    private enum Answer {
        case freed(Int)
        case failed(any Error)
        /// There is no such handler any more.
        case gone
    }

    /// Calls one handler; `nil` where it is gone.
    private func call(_ entry: HandlerTable.Entry, _ stage: MemoryCleanupStage) -> MemoryCleanupReport.Call? {
        var call = MemoryCleanupReport.Call(handler: entry.name, stage: stage, outcome: .freed)
        guard handlers.beginCall(of: entry) else {
            call.outcome = .stillBusy
            return call
        }
        let answer = Lock<Answer?>(nil)
        let start = clock.now
        do throws(AudioError) {
            let thread = try WorkerThread(name: "va-handler") { [handlers, logSink] in
                handlers.noteThread()
                let given = Self.ask(entry, stage)
                answer.withLock { $0 = given }
                if handlers.endCall(of: entry) {
                    logSink.log(
                        level: .notice, message: "the clean-up handler \"\(entry.name)\" has returned at last",
                        metadata: ["stage": stage.rawValue], source: "VoiceAudio")
                }
            }
            if !thread.join(by: start.advanced(by: slot), clock: clock), handlers.noteOverdue(entry) {
                thread.quarantine()
                call.outcome = .timedOut
            }
        } catch {
            _ = handlers.endCall(of: entry)
            answer.withLock { $0 = .failed(error) }
        }
        call.durationSeconds = start.duration(to: clock.now) / .seconds(1)
        guard call.outcome != .timedOut else { return call }
        switch answer.withLock({ $0 }) {
        case .gone, nil: return nil
        case .freed(let byteCount): call.freedBytes = byteCount
        case .failed(let error):
            call.outcome = .failed
            call.error = "\(error)"
        }
        return call
    }

    /// Here alone is a handler held: where this is the last reference to it, its end, too, comes within its slot.
    private static func ask(_ entry: HandlerTable.Entry, _ stage: MemoryCleanupStage) -> Answer {
        guard let handler = entry.handler else { return .gone }
        do {
            let byteCount = try handler.freeMemory(stage)
            guard byteCount >= 0 else {
                throw AudioError(
                    .invalidConfiguration, "freeMemory(_:) returned \(byteCount): accepted are 0 bytes and more")
            }
            return .freed(byteCount)
        } catch {
            return .failed(error)
        }
    }

    private func log(_ report: MemoryCleanupReport) {
        for call in report.calls where call.outcome != .freed {
            let text =
                switch call.outcome {
                case .timedOut: "did not return in time and is left to itself"
                case .stillBusy: "was not called: an earlier call has not returned"
                case .freed, .failed: "failed"
                }
            logSink.log(
                level: .warning, message: "the clean-up handler \"\(call.handler)\" \(text)",
                metadata: ["stage": call.stage.rawValue].merging(call.error.map { ["error": $0] } ?? [:]) { $1 },
                source: "VoiceAudio")
        }
        guard !report.calls.isEmpty else { return }
        logSink.log(
            level: .info, message: "memory cleaned up",
            metadata: [
                "stages": report.stages.map(\.rawValue).joined(separator: ", "), "handlers": "\(report.calls.count)",
                "resident_bytes_before": "\(report.residentBytesBefore)",
                "resident_bytes_after": "\(report.residentBytesAfter)",
            ], source: "VoiceAudio")
    }
}
