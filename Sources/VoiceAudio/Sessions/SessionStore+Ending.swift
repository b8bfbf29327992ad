import VoiceAudioCore
import VoiceAudioMemory

// How sessions end: each once, whoever ends it.
extension SessionStore {
    /// Ends one, on the caller's thread; attachments are closed on another, which is left to itself at the deadline.
    ///
    /// - Throws: `invalidState` where somebody else does, or did.
    func end(_ core: SessionCore, deadline: Duration?) throws(AudioError) -> EndedSession {
        let deadline = clock.now.advanced(by: deadline ?? core.processor.configuration.stopTimeout)
        let claim = try core.claimEnd()
        let usedBytes = core.budget.usedBytes
        var ended = endCapture(of: core, claim, because: .asked, by: captureDeadline(for: deadline))
        if claim.parts.attachments.isEmpty || !closeElsewhere(claim, of: core, because: .asked, by: deadline) {
            close(claim, of: core, because: .asked)
        } else if !core.hasEnded {
            ended.report.leftToItself.append(.closing)
        }
        ended.report.freedBytes = max(0, usedBytes - core.budget.usedBytes)
        logEnd(ended.report)
        return ended
    }

    /// Closes on a thread that is waited for until the deadline; answers `false` where there can be none.
    private func closeElsewhere(
        _ claim: SessionCore.Claim, of core: SessionCore, because reason: SessionEndReason,
        by deadline: MonotonicInstant
    ) -> Bool {
        do throws(AudioError) {
            let thread = try WorkerThread(name: "va-session-end") { self.close(claim, of: core, because: reason) }
            _ = thread.join(by: deadline, clock: clock)
            return true
        } catch {
            return false
        }
    }

    /// Ends one, and hands it to who wants to know of it, on a thread that may hang meanwhile; answers `nil` where somebody
    /// else ends it.
    func endAndTell(
        _ core: SessionCore, because reason: SessionEndReason, by deadline: MonotonicInstant
    ) -> EndedSessionReport? {
        guard let claim = try? core.claimEnd() else { return nil }
        let ended = endCapture(of: core, claim, because: reason, by: deadline)
        close(claim, of: core, because: reason)
        // Of one that had not begun, its `begin` tells.
        if let onEnd, !claim.wasBeginning { onEnd(ended) }
        return ended.report
    }

    /// When captures are given up for all to be done by `deadline`: a little earlier, so that by then it is known what hangs.
    func captureDeadline(for deadline: MonotonicInstant) -> MonotonicInstant {
        let margin = min(timeLeft(until: deadline) / 10, .milliseconds(200))
        return deadline.advanced(by: .zero - margin)
    }

    /// Stops the recording and whatever else captures; returns by the deadline.
    private func endCapture(
        of core: SessionCore, _ claim: SessionCore.Claim, because reason: SessionEndReason,
        by deadline: MonotonicInstant
    ) -> EndedSession {
        let processor = core.processor
        var report = EndedSessionReport(
            name: core.name, reason: reason, ageSeconds: core.start.duration(to: clock.now) / .seconds(1))
        var recording: Recording?
        if !claim.wasBeginning {
            do throws(AudioError) {
                let stopped = try processor.stop(deadline: timeLeft(until: deadline))
                report.frameCount = stopped.frameCount
                report.lostFrameCount = stopped.losses.totalFrames
                report.failure = stopped.failure.map { "\($0)" }
                recording = stopped
            } catch {
                // Where nothing is recorded there is nothing to stop.
                if error.code != .invalidState { report.failure = "\(error)" }
            }
        }
        if case .failed(let error) = processor.state, report.failure == nil { report.failure = "\(error)" }
        processor.cleanup(deadline: timeLeft(until: deadline))
        if processor.quarantinedThreadCount > 0 { report.leftToItself.append(.captureThread) }
        return EndedSession(
            report: report, recording: recording, metadata: claim.parts.metadata, values: claim.parts.kept)
    }

    private func timeLeft(until deadline: MonotonicInstant) -> Duration { max(.zero, clock.now.duration(to: deadline)) }

    /// Closes what was attached, the newest first, and takes the session out.
    func close(_ claim: SessionCore.Claim, of core: SessionCore, because reason: SessionEndReason) {
        for attachment in claim.parts.attachments.reversed() {
            do {
                try attachment.close?()
            } catch {
                log(
                    .warning, "an attachment of a session failed to close",
                    ["session": core.name, "attachment": attachment.name, "error": "\(error)"])
            }
        }
        claim.parts.giveBack()
        let housekeeper = table.withLock { $0.remove(core, because: claim.wasBeginning ? nil : reason) }
        housekeeper?.retire()
        core.noteEnded()
        // Nobody may ever ask for the number of them, which forgets those that ended.
        if core.processor.quarantinedThreadCount > 0 { _ = quarantinedThreadCount }
    }

    // MARK: - Several

    /// Ends those that have expired.
    func expire(deadline: Duration? = nil) -> EndedSessionsReport {
        let now = clock.now
        let due = cores.compactMap { core in
            core.expectedEnd.flatMap { $0.time <= now ? ParallelEnding.Order(core: core, reason: $0.reason) : nil }
        }
        guard !due.isEmpty else { return EndedSessionsReport(sessions: []) }
        return ParallelEnding(due, in: self).run(by: now.advanced(by: deadline ?? configuration.stopTimeout))
    }

    /// Ends all; none begins meanwhile.
    func endAll(because reason: SessionEndReason, deadline: Duration?) -> EndedSessionsReport {
        let cores = table.withLock { $0.beginEndingAll() }
        defer { table.withLock { $0.endEndingAll() } }
        guard !cores.isEmpty else { return EndedSessionsReport(sessions: []) }
        let orders = cores.map { ParallelEnding.Order(core: $0, reason: reason) }
        return ParallelEnding(orders, in: self).run(
            by: clock.now.advanced(by: deadline ?? configuration.stopTimeout))
    }

    func logEnd(_ report: EndedSessionReport) {
        let metadata = [
            "session": report.name, "reason": report.reason.rawValue, "seconds": "\(report.ageSeconds)",
            "frames": "\(report.frameCount)", "lost_frames": "\(report.lostFrameCount)",
            "freed_bytes": "\(report.freedBytes)",
        ]
        if report.reason.isExpiry {
            log(.notice, "session expired", metadata)
        } else {
            log(.info, "session ended", metadata)
        }
        if let failure = report.failure {
            log(.warning, "the capture of a session had failed", ["session": report.name, "error": failure])
        }
        if !report.leftToItself.isEmpty { logLeftovers(report) }
    }

    func logLeftovers(_ report: EndedSessionReport) {
        log(
            .error, "a session did not end in time",
            [
                "session": report.name,
                "left_to_itself": report.leftToItself.map(\.rawValue).joined(separator: ", "),
            ])
    }
}
