public import VoiceAudioCore

/// What the system says of the memory of this process: its cgroups' limits and the machine's memory.
///
/// - Of cgroup v2 `memory.max` and `memory.high`, of v1 `memory.limit_in_bytes`: of the process's own group and of all above
///   it, as far as they are to be seen. A limit of as much as the machine has, or more, is none. The group is looked for
///   again when `/proc/self/cgroup` changes.
/// - Of the machine `MemTotal` and `MemAvailable`. Swap does not count: what is there is slow, and late.
/// - Events: the first of `$MEMORY_PRESSURE_WATCH`, which systemd sets, the group's own `memory.pressure`, and
///   `/proc/pressure/memory`, that can be had. Where none can, the monitor samples by its interval alone.
///
/// > Concurrency: Safe from any thread. A fork of the process looks for itself.
public final class SystemMemorySource: MemorySource {
    private let files: MemoryFiles
    private let state = PerProcess(Lock(State())) { _ in Lock(State()) }

    private struct State: Sendable {
        var group: MemoryGroup?
        var trigger: StallTrigger?
    }

    /// The system of this process.
    ///
    /// > Concurrency: Reads the process environment, which no thread may change meanwhile (`setenv(3)`).
    public convenience init() { self.init(files: .system) }

    init(files: MemoryFiles) { self.files = files }

    public var events: MemoryEvents? {
        state.value.withLock { state in
            if state.trigger == nil {
                state.trigger = StallTrigger.first(of: files.stallFiles(of: MemoryGroup(files)))
            }
            return state.trigger?.events
        }
    }

    /// - Throws: ``AudioError`` with code `memoryUnknown` where `/proc/meminfo` cannot be read.
    public func sample() throws(AudioError) -> MemorySample {
        guard let machine = files.machineLimit else {
            throw AudioError(
                .memoryUnknown, "\(files.meminfo) does not tell MemTotal and MemAvailable: is /proc mounted?")
        }
        let group = state.value.withLock { state in
            let membership = files.membership
            let group = state.group.flatMap { $0.membership == membership ? $0 : nil } ?? MemoryGroup(files)
            state.group = group
            return group
        }
        let limits = group.limits.filter { $0.limitBytes < machine.limitBytes } + [machine]
        return MemorySample(limits: limits, processRSSBytes: ProcessMemory.residentBytes)
    }
}

extension AudioError.Code {
    /// The system does not say how much memory there is.
    public static let memoryUnknown = Self(rawValue: "memoryUnknown")
}
