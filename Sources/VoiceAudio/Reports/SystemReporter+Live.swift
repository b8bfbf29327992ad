import VoiceAudioCore
import VoiceAudioMemory

extension SystemReporter {
    /// How captures and memory stand now: far cheaper than ``report()``, for displays that follow them.
    ///
    /// - Complexity: O(*n*) in processors, sessions and threads, with a system call for each thread.
    public func liveReport() -> LiveReport {
        let now = clock.now
        var gathering = LiveGathering()
        for part in allProcessors { gathering.add(part) }
        let threads = ThreadSupervisor.threads
        let process = LiveReport.Process(
            residentBytes: ProcessMemory.residentBytes, cpuSeconds: ProcessReport.CPU.current.seconds,
            threads: threads.reduce(into: [:]) { $0[$1.name, default: 0] += 1 },
            quarantinedThreads: threads.count { $0.isQuarantined }, ringBytes: gathering.ringBytes,
            ringLimitBytes: gathering.ringLimitBytes)
        let pressure = monitor.map { (status: $0.status, configuration: $0.configuration) }
        let problems =
            gathering.problems + (pressure.map { pressureProblems($0.status) } ?? []) + threadProblems(process)
        return LiveReport(
            secondsSince1970: WallClock(at: now).secondsSince1970(at: now),
            problems: problems.filter { $0.severity == .failure } + problems.filter { $0.severity == .warning },
            process: process, pressure: pressure.map { LiveReport.Pressure($0.status, $0.configuration) },
            budgets: budgets.map {
                LiveReport.Budget(name: $0.name, usedBytes: $0.usedBytes, limitBytes: $0.limitBytes)
            },
            registries: registries.map { $0.store.liveReport }, processors: gathering.processors)
    }

    private func pressureProblems(_ status: MemoryPressureStatus) -> [LiveReport.Problem] {
        var problems: [LiveReport.Problem] = []
        switch status.level {
        case .low, .moderate: break
        case .high: problems.append(.init(severity: .warning, text: "The memory pressure is high"))
        case .critical: problems.append(.init(severity: .failure, text: "The memory pressure is critical"))
        }
        if status.isProcessingPaused {
            problems.append(.init(severity: .failure, text: "Nothing new is to begin: a clean-up freed too little"))
        }
        if let failure = status.failure {
            problems.append(.init(severity: .warning, text: "The memory cannot be watched: \(failure)"))
        }
        return problems
    }

    private func threadProblems(_ process: LiveReport.Process) -> [LiveReport.Problem] {
        let count = process.quarantinedThreads
        guard count > 0 else { return [] }
        let text =
            count == 1 ? "A thread hangs, and was left to itself" : "\(count) threads hang, and were left to themselves"
        return [.init(severity: .warning, text: text)]
    }
}

/// What is gathered from one processor after the other.
private struct LiveGathering {
    var processors: [LiveReport.Processor] = []
    var problems: [LiveReport.Problem] = []
    var ringBytes = 0
    var ringLimitBytes = 0

    mutating func add(_ part: NamedProcessor) {
        let (name, processor) = (part.name, part.processor)
        let standing = processor.standing
        ringBytes += standing.ringBytes
        ringLimitBytes += standing.ringLimitBytes
        let status = standing.health
        processors.append(
            LiveReport.Processor(
                name: name, registry: part.registry, sampleRate: processor.configuration.sampleRateHz,
                state: "\(standing.state)", health: status?.health, healthReason: status?.reason,
                level: standing.level, chunkFill: standing.chunkFill, byteFill: standing.byteFill,
                losses: standing.losses))
        func note(_ severity: LiveReport.Problem.Severity, _ text: String, because reason: String?) {
            problems.append(
                .init(severity: severity, text: "\"\(name)\" \(text)" + (reason.map { ": \($0)" } ?? "")))
        }
        if case .failed(let error) = standing.state { return note(.failure, "has failed", because: error.message) }
        switch status?.health {
        case .flowing, nil: break
        case .silent: note(.warning, "is silent", because: status?.reason)
        case .stalled: note(.failure, "gets no sound", because: status?.reason)
        case .reconnecting: note(.failure, "waits for its device", because: status?.reason)
        case .lost: note(.failure, "has lost its device", because: status?.reason)
        }
    }
}

extension SessionStore {
    fileprivate var liveReport: LiveReport.Registry {
        LiveReport.Registry(
            name: name, sessionCount: table.withLock { $0.count }, sessionLimit: limits.sessions,
            usedBytes: usedBytes, limitBytes: limits.memory.byteCount)
    }
}

extension LiveReport.Pressure {
    fileprivate init(_ status: MemoryPressureStatus, _ configuration: MemoryPressureConfiguration) {
        func threshold(_ level: MemoryPressureLevel) -> Int {
            configuration.thresholdBytes(of: level, ofLimit: status.limitBytes)
        }
        self.init(
            level: status.level, usedBytes: status.usedBytes, limitBytes: status.limitBytes,
            moderateBytes: threshold(.moderate), highBytes: threshold(.high), criticalBytes: threshold(.critical),
            secondsToCritical: status.trend.secondsToCritical, isProcessingPaused: status.isProcessingPaused)
    }
}
