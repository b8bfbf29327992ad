import VoiceAudioCore
import VoiceAudioMemory

extension SystemReporter {
    /// Has the parts that were added give memory back, and tells what that brought. Capture goes on.
    ///
    /// Each handler is called on a thread of its own, and waited for for a second. One that does not return is left to itself,
    /// and is not called again until it has. At the end free memory goes back to the system.
    ///
    /// - Parameters:
    ///   - what: What is to be cleaned up.
    ///   - deadline: After this long nothing more is begun; what is under way then has its second.
    /// - Returns: What was freed. In a fork of the process: nothing.
    ///
    /// > Concurrency: Safe from any thread, on which it blocks.
    public func cleanUp(_ what: SystemCleanup, deadline: Duration = .seconds(10)) -> SystemCleanupReport {
        let start = clock.now
        let end = start.advanced(by: deadline)
        let resident = ProcessMemory.residentBytes
        var report = SystemCleanupReport(what: what, residentBytesBefore: resident, residentBytesAfter: resident)
        guard owner.isCurrent else { return report }
        let isTimeLeft = { [clock] in clock.now < end }
        if what == .expired || what == .all { expire(by: end, into: &report) }
        if what == .spill || what == .all {
            for collector in collectors.map({ $0 }) { spillCleanup.register(collector) }
            report.add(spillCleanup.run(upTo: .emergency, isTimeLeft: isTimeLeft) { true }, as: .spill)
        }
        if what == .buffers || what == .all {
            for part in allProcessors { bufferCleanup.register(part.processor) }
            report.add(bufferCleanup.run(upTo: .emergency, isTimeLeft: isTimeLeft) { true }, as: .buffers)
        }
        if what == .all, let monitor { report.add(monitor.cleanUp(.emergency, isTimeLeft: isTimeLeft), as: nil) }
        ProcessMemory.trimHeap()
        report.residentBytesAfter = ProcessMemory.residentBytes
        report.isComplete = isTimeLeft() && report.notEndedSessions.isEmpty && report.failures.isEmpty
        report.durationSeconds = start.duration(to: clock.now) / .seconds(1)
        return report
    }

    private func expire(by end: MonotonicInstant, into report: inout SystemCleanupReport) {
        var freed = 0
        for registry in registries.map({ $0 }) {
            let left = clock.now.duration(to: end)
            guard left > .zero else { break }
            let ended = registry.expireSessions(deadline: left)
            freed += ended.freedBytes
            report.expiredSessions += ended.sessions.map(\.name)
            report.notEndedSessions += ended.notEnded
        }
        report.freedBytes[SystemCleanup.expired.rawValue] = freed
    }
}

extension SystemCleanupReport {
    /// - Parameter kind: What it was; `nil` for the pressure monitor's handlers.
    fileprivate mutating func add(_ cleanup: MemoryCleanupReport, as kind: SystemCleanup?) {
        freedBytes[kind?.rawValue ?? "handlers"] = cleanup.calls.reduce(0) { $0 + $1.freedBytes }
        failures += cleanup.calls.filter { $0.outcome != .freed }.map { call in
            Failure(handler: call.handler, outcome: call.outcome, error: call.error)
        }
    }
}
