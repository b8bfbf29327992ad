import Glibc
import VoiceAudioCore
import VoiceAudioMemory

private let mebibyte = 1 << 20

/// Memory that is taken a mebibyte at a time: a mapping of its own, which goes back to the system whatever malloc keeps.
@safe
private struct Taken: ~Copyable {
    private let capacityBytes: Int
    // SAFETY: of that capacity, unmapped once, by deinit; only this value has it.
    private let memory: UnsafeMutableRawPointer
    private(set) var mebibytes = 0

    init(capacityBytes: Int) {
        self.capacityBytes = capacityBytes
        guard
            let memory = unsafe mmap(
                nil, capacityBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            unsafe memory != MAP_FAILED
        else { fatalError("mmap: \(errno)") }
        unsafe self.memory = memory
    }

    deinit { unsafe munmap(memory, capacityBytes) }

    /// Takes one more; whether there was one.
    mutating func takeOne() -> Bool {
        guard (mebibytes + 1) * mebibyte <= capacityBytes else { return false }
        unsafe memset(memory + mebibytes * mebibyte, 1, mebibyte)
        mebibytes += 1
        return true
    }
}

/// A line has the level, the percentage used, whose limit it is, that limit, and the group. Time is the program's own: two
/// seconds pass with each mebibyte.
func takeUntilCritical() {
    let clock = ManualClock()
    let monitor = MemoryPressureMonitor(clock: clock)
    var told = monitor.status
    func tell() {
        print(told.level, told.usedPercent, told.origin.rawValue, told.limitBytes, told.groupPath ?? "-")
    }
    func next() {
        clock.advance(by: monitor.configuration.interval + .nanoseconds(1))
        let before = told.level
        told = monitor.status
        if told.level != before { tell() }
    }
    tell()
    var taken = Taken(capacityBytes: told.capacityBytes)
    while told.level < .critical, taken.takeOne() { next() }
    _ = consume taken
    for _ in 0..<4 { next() }
}

func takeUntilEvent() throws {
    let monitor = MemoryPressureMonitor(
        configuration: try MemoryPressureConfiguration(interval: .seconds(3600)))
    let first = monitor.status
    try monitor.start()
    // The thread's own first sample.
    while monitor.status.sampledAt == first.sampledAt { usleep(1000) }
    let own = monitor.status
    var taken = Taken(capacityBytes: 2 * first.capacityBytes)
    while monitor.status.sampledAt == own.sampledAt {
        guard taken.takeOne() else { return print("no event after \(taken.mebibytes) MiB") }
    }
    print("event after \(taken.mebibytes) MiB of \(first.capacityBytes / mebibyte)")
}
