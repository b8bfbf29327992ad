public import VoiceAudioCore

/// Watches how near this process is to the memory that it may use, and has memory given back when that is short.
///
/// The level follows from the limits of the process's cgroups and from the machine's memory, whichever is nearest to being
/// reached: `moderate`, `high` and `critical` from 70, 80 and 90 % on, or sooner where less than a minimum is free. It
/// rises with the first sample that says so, and falls after several quiet ones: see ``MemoryPressureConfiguration``.
///
/// ```swift
/// let monitor = MemoryPressureMonitor()
/// for try await status in monitor.changes() { print(status.level, status.usedPercent) }
/// ```
///
/// A thread of its own samples every 2 s, faster as memory gets short. It starts with the first handler or listener, or
/// with ``start()``, and ends with ``stop(deadline:)`` or the monitor's last reference. Without it every question is
/// answered by a sample that is not older than the interval.
///
/// > Concurrency: Safe from any thread. A fork of the process has a monitor of the same settings that has not been started:
/// > the handlers and listeners stay behind.
///
/// > Real-time: Not safe: takes locks, and reads files.
public final class MemoryPressureMonitor: Sendable {
    /// From where on memory is short.
    public let configuration: MemoryPressureConfiguration

    private let current: PerProcess<PressureCore>

    /// A monitor that has not been started.
    ///
    /// - Parameters:
    ///   - configuration: From where on memory is short, and how often to look.
    ///   - source: What tells how the memory is.
    ///   - clock: What the intervals go by.
    ///   - logSink: Gets a line for each change of the level, and where a source fails.
    ///   - cleanupSlot: How long each handler may take.
    public init(
        configuration: MemoryPressureConfiguration = .standard, source: any MemorySource = SystemMemorySource(),
        clock: any AudioClock = SystemClock(), logSink: any AudioLogSink = SilentLogSink(),
        cleanupSlot: Duration = .seconds(1)
    ) {
        self.configuration = configuration
        let make = { @Sendable in
            PressureCore(
                configuration: configuration, source: source, clock: clock, logSink: logSink, cleanupSlot: cleanupSlot)
        }
        current = PerProcess(make()) { _ in make() }
    }

    deinit { _ = core.stop(within: .seconds(1)) }

    /// What this process's thread and callers share; it does not know the monitor, so that the last reference ends it.
    var core: PressureCore { current.value }

    /// Starts sampling; nothing where that has begun.
    ///
    /// - Throws: ``AudioError`` with code `outOfResources`.
    public func start() throws(AudioError) { try core.start() }

    /// Ends sampling, clean-ups and the sequences of changes. ``start()`` begins again, registering a handler does not.
    ///
    /// - Parameter deadline: How long to wait for a clean-up under way, say.
    /// - Returns: Whether the threads have ended; one that has not ends by itself as soon as it can.
    @discardableResult
    public func stop(deadline: Duration = .seconds(2)) -> Bool { core.stop(within: deadline) }

    /// How near the process is to what it may use.
    public var level: MemoryPressureLevel { status.level }

    /// How the memory stands.
    public var status: MemoryPressureStatus { core.currentStatus }

    /// Whether memory stayed critical through a whole clean-up: nothing new is to begin until the level has fallen.
    public var isProcessingPaused: Bool { status.isProcessingPaused }

    /// What the newest clean-up did; `nil` before the first.
    public var lastCleanup: MemoryCleanupReport? { core.lastCleanup }

    /// Has `handler` called when memory is short, for as long as it lives: it is held weakly.
    ///
    /// The first starts the monitor. Where that fails, for lack of descriptors or threads, the log says so and the next one
    /// tries again.
    public func register(_ handler: any MemoryCleanupHandler) {
        core.cleanup.register(handler)
        try? core.startUnlessStopped()
    }

    /// The status whenever the level, the pause or the failure changes, beginning with how it is.
    ///
    /// Who asks late gets the newest, not all that were in between. It ends with ``stop(deadline:)``, with the monitor, which
    /// it does not keep alive, and with the task that waits.
    public func changes() -> MemoryPressureSequence {
        do throws(AudioError) {
            try core.startUnlessStopped()
            return MemoryPressureSequence(core: .success(core))
        } catch {
            return MemoryPressureSequence(core: .failure(error))
        }
    }
}
