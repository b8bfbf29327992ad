import VoiceAudioCore
import VoiceAudioIO

/// The end of what the library has open, stage by stage, each with its share of the deadline.
final class Shutdown: Sendable {
    let deadline: Duration
    private let log: ShutdownLog
    private let clock: any AudioClock

    /// - Throws: `outOfResources`.
    init(deadline: Duration, logSink: any AudioLogSink, clock: any AudioClock) throws(AudioError) {
        self.deadline = deadline
        log = try ShutdownLog(to: logSink)
        self.clock = clock
    }

    /// Processors that have, or had, a capture.
    static let processors = WeakTable<AudioProcessor>()

    /// Ends everything; returns by the deadline, whatever hangs, a log sink included.
    func run(because cause: String) {
        let start = clock.now
        let end = start.advanced(by: deadline)
        let logging = try? WorkerThread(name: "va-shutdown") { [log] in log.run() }
        let stages = try? WorkerThread(name: "va-shutdown") { self.runStages(from: start, because: cause) }
        // Without a thread, here.
        if let stages { _ = stages.join(by: end, clock: clock) } else { runStages(from: start, because: cause) }
        log.end()
        if let logging { _ = logging.join(by: end, clock: clock) } else { log.run() }
    }

    private func runStages(from start: MonotonicInstant, because cause: String) {
        func share(_ percent: Int) -> MonotonicInstant { start.advanced(by: deadline / 100 * percent) }
        let processors = Self.processors.references
        let captures = processors.filter { $0.object?.runningCapture != nil }
        log.line(
            .notice, "the process ends: captures are stopped and files finished",
            ["cause": cause, "captures": "\(captures.count)", "deadline": "\(deadline)"])
        // Before they are taken out of their tables.
        let buffers = captures.flatMap { $0.object?.listeners ?? [] }.filter { !$0.isSampled }.map(WeakReference.init)
        stopCaptures(captures, by: share(30))
        runActions(by: share(70))
        waitForReaders(of: buffers, by: share(70))
        finishRecordings(by: share(90))
        removeTemporaryFiles(by: share(95))
        log.line(.notice, "captures are stopped and files finished", ["took": "\(start.duration(to: clock.now))"])
    }

    private func stopCaptures(_ captures: [WeakReference<AudioProcessor>], by deadline: MonotonicInstant) {
        let pieces = captures.map { reference in
            ShutdownLanes.Piece(name: reference.object?.setup.source.name ?? "") {
                reference.object?.endCaptureForShutdown(by: deadline) ?? true
            }
        }
        for name in ShutdownLanes.run(pieces, by: deadline, clock) {
            log.line(.error, "a capture did not end in time, and is left to itself", ["source": name])
        }
    }

    private func runActions(by deadline: MonotonicInstant) {
        let pieces = ShutdownHook.actions.value.withLock { $0.map { $0 } }.map { action in
            ShutdownLanes.Piece(name: action.name) { [clock] in
                action.body(max(.zero, clock.now.duration(to: deadline)))
                return true
            }
        }
        for name in ShutdownLanes.run(pieces, by: deadline, clock) {
            log.line(.error, "an action at the process's end did not return in time", ["action": name])
        }
    }

    /// Until all chunks were taken, and then a while for files to be finished by who writes them.
    private func waitForReaders(of buffers: [WeakReference<BoundedAudioBuffer>], by deadline: MonotonicInstant) {
        wait(until: deadline) { buffers.allSatisfy { $0.object?.count ?? 0 == 0 } }
        let left = buffers.filter { $0.object?.count ?? 0 > 0 }
        if !left.isEmpty {
            let chunks = left.reduce(0) { $0 + ($1.object?.count ?? 0) }
            log.line(
                .warning, "readers did not take all chunks in time",
                ["subscriptions": "\(left.count)", "chunks": "\(chunks)"])
        }
        let rest = min(deadline, clock.now.advanced(by: self.deadline / 10))
        wait(until: rest) { RecordingWriter.open.references.allSatisfy { $0.object == nil } }
    }

    private func finishRecordings(by deadline: MonotonicInstant) {
        let pieces = RecordingWriter.open.references.compactMap { reference -> ShutdownLanes.Piece? in
            guard let path = reference.object?.path else { return nil }
            return ShutdownLanes.Piece(name: path) { [self] in
                do throws(AudioError) {
                    try reference.object?.finish()
                    log.line(.info, "a recording was finished as the process ends", ["path": path])
                } catch {
                    log.line(.error, "a recording could not be finished", ["path": path, "error": "\(error)"])
                }
                return true
            }
        }
        for path in ShutdownLanes.run(pieces, by: deadline, clock) {
            log.line(.error, "a recording was not finished in time", ["path": path])
        }
    }

    private func removeTemporaryFiles(by deadline: MonotonicInstant) {
        let pieces = TemporaryName.all.references.map { reference in
            ShutdownLanes.Piece(name: "") {
                reference.object?.remove()
                return true
            }
        }
        let left = ShutdownLanes.run(pieces, by: deadline, clock)
        if !left.isEmpty {
            log.line(.error, "temporary files were not removed in time", ["files": "\(left.count)"])
        }
    }

    private func wait(until deadline: MonotonicInstant, _ condition: () -> Bool) {
        let nothing = DescriptorSet(count: 0)
        while !condition(), clock.now < deadline {
            _ = clock.wait(for: nothing, until: min(deadline, clock.now.advanced(by: .milliseconds(5))))
        }
    }
}

/// Does many things at once, of which some may never return.
enum ShutdownLanes {
    struct Piece: Sendable {
        let name: String
        /// Whether it came to its end.
        let body: @Sendable () -> Bool
    }

    /// The most threads: one that hangs has its own, and the others do the rest.
    private static let mostThreads = 64

    private struct State: Sendable {
        var next = 0
        var ended: Set<Int> = []
    }

    /// Runs all; the names of those that did not end by `deadline`.
    static func run(_ pieces: [Piece], by deadline: MonotonicInstant, _ clock: any AudioClock) -> [String] {
        let state = Lock(State())
        let work: @Sendable () -> Void = {
            while true {
                let index = state.withLock { state in
                    defer { state.next += 1 }
                    return state.next
                }
                guard index < pieces.count, clock.now < deadline else { return }
                if pieces[index].body() { state.withLock { _ = $0.ended.insert(index) } }
            }
        }
        let threads = (0..<min(pieces.count, mostThreads)).compactMap { _ in
            try? WorkerThread(name: "va-shutdown", body: work)
        }
        // Without a thread, here.
        if threads.isEmpty { work() }
        for thread in threads where !thread.join(by: deadline, clock: clock) { thread.quarantine() }
        let ended = state.withLock { $0.ended }
        return pieces.indices.filter { !ended.contains($0) }.map { pieces[$0].name }
    }
}

extension AudioProcessor {
    /// Who listens to what is captured.
    fileprivate var listeners: [BoundedAudioBuffer] { capturing.withLock { $0.subscribers.buffers } }

    /// Stops the capture as if its source had ended: what was recorded can still be had. An opening is given up.
    ///
    /// - Returns: Whether it ended by `deadline`.
    fileprivate func endCaptureForShutdown(by deadline: MonotonicInstant) -> Bool {
        let (capture, subscribers) = capturing.withLock { state in
            state.beginCleanup()
            return (state.capture, state.subscribers)
        }
        defer { capturing.withLock { $0.endCleanup() } }
        guard let capture, !capture.stop(by: deadline, abandon: quarantine) else { return true }
        // Its listeners have what they have, and end.
        subscribers.removeAll()
        return false
    }
}
