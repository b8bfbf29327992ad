import VoiceAudioCore

/// Who is connected, by descriptor, and how long that may go on.
struct ConnectionTable {
    enum Phase {
        /// Without a complete request, its body included: the client's turn.
        case waiting
        /// The request is answered: for the client to take.
        case answering
        /// It takes as long as it takes: work, or events.
        case held
    }

    private struct Entry {
        var phase = Phase.waiting
        var since: MonotonicInstant
        /// Whether it was told to go; it is there until that is done.
        var isCutOff = false
    }

    private let limits: MonitorLimits
    private var entries: [Int32: Entry] = [:]

    init(_ limits: MonitorLimits) { self.limits = limits }

    var isFull: Bool { entries.count >= limits.connections }

    mutating func add(_ descriptor: Int32, at now: MonotonicInstant) { entries[descriptor] = Entry(since: now) }

    mutating func remove(_ descriptor: Int32) { entries[descriptor] = nil }

    /// The time of a phase begins, also where it is the same.
    mutating func note(_ phase: Phase, of descriptor: Int32, at now: MonotonicInstant) {
        entries[descriptor]?.phase = phase
        entries[descriptor]?.since = now
    }

    /// Cuts off the one that has kept its place for the longest time beyond what it may where others wait for one.
    ///
    /// - Returns: Its descriptor; `nil` where there is none.
    mutating func cutOffSlowest(at now: MonotonicInstant) -> Int32? {
        guard let (descriptor, time) = slowest, time <= now else { return nil }
        entries[descriptor]?.isCutOff = true
        return descriptor
    }

    /// Cuts off those whose turn it is, and of which `isGone` says that they will not take it.
    mutating func cutOffGone(_ isGone: (Int32) -> Bool) -> [Int32] {
        let gone = entries.filter { $0.value.phase == .waiting && !$0.value.isCutOff }.map(\.key).filter(isGone)
        for descriptor in gone { entries[descriptor]?.isCutOff = true }
        return gone
    }

    /// Cuts off those whose time is over.
    mutating func cutOffOverdue(at now: MonotonicInstant) -> [Int32] {
        let overdue = entries.filter { _, entry in deadline(of: entry).map { $0 <= now } ?? false }.map(\.key)
        for descriptor in overdue { entries[descriptor]?.isCutOff = true }
        return overdue
    }

    /// When somebody's time is over.
    var nextDeadline: MonotonicInstant? { entries.values.compactMap(deadline).min() }

    /// From when on there is room for another one, or can be made; `nil` where only the end of a connection brings it.
    var roomFrom: MonotonicInstant? {
        guard isFull else { return MonotonicInstant(nanoseconds: .min) }
        return slowest?.time
    }

    /// Who has to make room first, and from when on.
    private var slowest: (descriptor: Int32, time: MonotonicInstant)? {
        entries.lazy.compactMap { descriptor, entry in self.time(of: entry).map { (descriptor, $0) } }
            .min { $0.1 < $1.1 }
    }

    /// Until when it keeps its place although others wait for one.
    private func time(of entry: Entry) -> MonotonicInstant? {
        guard !entry.isCutOff else { return nil }
        return switch entry.phase {
        case .waiting: entry.since.advanced(by: limits.graceTime)
        case .answering: entry.since.advanced(by: limits.takingTime)
        case .held: nil
        }
    }

    private func deadline(of entry: Entry) -> MonotonicInstant? {
        entry.phase == .held || entry.isCutOff ? nil : entry.since.advanced(by: limits.exchangeTime)
    }
}
