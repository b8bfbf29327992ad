public import VoiceAudioCore
public import VoiceAudioMemory

/// Gathers what a program takes and holds: the process, and the parts that were added, each for as long as it lives.
///
/// ```swift
/// let reporter = SystemReporter()
/// reporter.add(processor, named: "kitchen")
/// reporter.add(budget)
/// let json = try JSONEncoder().encode(reporter.report())
/// ```
///
/// Parts are held weakly. In a fork of the process (without exec) there are none.
///
/// > Concurrency: Safe from any thread.
///
/// > Real-time: Not safe: takes locks, makes system calls.
public final class SystemReporter: Sendable {
    private struct Reading {
        let time: MonotonicInstant
        let cpuSeconds: Double
    }

    private let temporaryDirectory: String?
    let clock: any AudioClock
    let processors = PartList<NamedProcessor>()
    let budgets = PartList<MemoryBudget>()
    let trackers = PartList<AudioObjectTracker>()
    let collectors = PartList<any ReportingCollector>()
    let registries = PartList<SessionRegistry>()
    let components = PartList<ComponentRegistry>()
    let monitor: MemoryPressureMonitor?
    /// They remember what has not returned from an earlier clean-up.
    let bufferCleanup: CleanupRunner
    let spillCleanup: CleanupRunner
    private let lastReading: Lock<Reading>
    let owner = OwningProcess()

    /// Makes a reporter of the process alone.
    ///
    /// - Parameters:
    ///   - monitor: Whose status reports have; it is kept alive.
    ///   - temporaryDirectory: Whose disk is told of; `nil` stands for `TMPDIR`, and for `/tmp` where that is not set.
    ///   - clock: What processor time is compared with.
    public init(
        monitor: MemoryPressureMonitor? = nil, temporaryDirectory: String? = nil, clock: any AudioClock = SystemClock()
    ) {
        self.monitor = monitor
        self.temporaryDirectory = temporaryDirectory
        self.clock = clock
        bufferCleanup = CleanupRunner(clock: clock, logSink: SilentLogSink(), slot: .seconds(1))
        spillCleanup = CleanupRunner(clock: clock, logSink: SilentLogSink(), slot: .seconds(1))
        lastReading = Lock(Reading(time: clock.now, cpuSeconds: ProcessReport.CPU.current.seconds))
    }

    /// Adds a processor, which reports call `name`.
    public func add(_ processor: AudioProcessor, named name: String = "processor") {
        processors.add { [weak processor] in processor.map { NamedProcessor(name: name, processor: $0) } }
    }

    /// Adds a budget; add the root of a tree, whose report has all of it.
    public func add(_ budget: MemoryBudget) { budgets.add { [weak budget] in budget } }

    /// Adds a tracker; its report lists the 20 oldest objects.
    public func add(_ tracker: AudioObjectTracker) { trackers.add { [weak tracker] in tracker } }

    /// Adds a collector of results.
    public func add<Value>(_ collector: ResultCollector<Value>) {
        collectors.add { [weak collector] in collector }
    }

    /// Adds a registry of sessions, whose report has each of them.
    public func add(_ registry: SessionRegistry) { registries.add { [weak registry] in registry } }

    /// Adds a registry of components; reports have what it knows, and ask no component.
    public func add(_ registry: ComponentRegistry) { components.add { [weak registry] in registry } }

    /// What there is now. `percent` of the processor time is that since the last report of this reporter, or since it was
    /// made.
    ///
    /// - Complexity: O(*n*) in threads, descriptors, parts and what trackers track.
    public func report() -> SystemReport {
        let now = clock.now
        var process = ProcessReport.gather()
        process.cpu = cpu()
        var disk: DiskReport?
        do throws(AudioError) { disk = try DiskReport(of: temporaryDirectory) } catch {}
        let resident = ProcessMemory.residentBytes
        return SystemReport(
            secondsSince1970: WallClock(at: now).secondsSince1970(at: now), process: process, disk: disk,
            pressure: monitor?.status, threads: ThreadSupervisor.threads,
            processors: processors.map {
                SystemReport.Processor($0.processor, named: $0.name, processRSSBytes: resident)
            },
            budgets: budgets.map { $0.report }, trackers: trackers.map { $0.report() },
            collectors: collectors.map { $0.report },
            registries: registries.map { $0.store.report(processRSSBytes: resident) },
            components: components.map { $0.report })
    }

    /// The processors that were added, and then those of the registries' sessions.
    var allProcessors: [NamedProcessor] {
        let ofSessions = registries.map { registry in
            let store = registry.store
            return store.cores.map { NamedProcessor(name: $0.name, registry: store.name, processor: $0.processor) }
        }
        return processors.map { $0 } + ofSessions.joined()
    }

    /// The processor time now; without a percentage where no time has passed.
    private func cpu() -> ProcessReport.CPU {
        guard owner.isCurrent else { return .current }
        return lastReading.withLock { last in
            // Both under the lock: of two who ask at once, the later one has the later time.
            let now = clock.now
            var cpu = ProcessReport.CPU.current
            let seconds = last.time.duration(to: now) / .seconds(1)
            guard seconds > 0 else { return cpu }
            cpu.percent = 100 * (cpu.seconds - last.cpuSeconds) / seconds
            last = Reading(time: now, cpuSeconds: cpu.seconds)
            return cpu
        }
    }
}
