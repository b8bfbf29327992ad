public import VoiceAudioCore

/// Tells of sound cards that come and go, by inotify on `/dev/snd`.
///
/// What it tells is the difference of two lists: of how the cards are now against how they were told last. So nothing is
/// missed however late one asks, and nothing has to be kept: its memory is bounded by the number of cards. A card's nodes
/// appear one by one, and may be opened only after udev has set their permissions: a change is told once it has been
/// quiet for 100 ms and all can be opened, at the latest 600 ms after the first sign.
///
/// A fork of the process cannot go on with it: there ``next(timeout:)`` throws `invalidState`.
///
/// Where `/dev/snd` never changes, as in most containers, there is nothing to tell.
///
/// > Concurrency: Safe from any thread; several readers share the changes.
///
/// > Real-time: Not safe.
public final class DeviceWatch: Sendable {
    private struct State: Sendable {
        /// `nil` after the end.
        var folder: DeviceFolder?
        var told: DeviceSnapshot
        var settling = Settling()
        var pending: [DeviceChange] = []
        /// What it failed with for good.
        var failure: AudioError?
    }

    private let state: PerProcess<Lock<State>>
    private let calls: any ALSADeviceCalls
    private let roots: SystemRoots
    private let clock: any AudioClock

    /// Begins to watch.
    ///
    /// - Throws: `outOfResources` where the system's limit of inotify instances or watches is reached;
    ///   `permissionDenied` or `deviceFailed` where `/dev` cannot be watched.
    public convenience init() throws(AudioError) {
        try self.init(calls: SystemALSACalls(), roots: SystemRoots(), clock: SystemClock())
    }

    package init(calls: any ALSADeviceCalls, roots: SystemRoots, clock: any AudioClock) throws(AudioError) {
        self.calls = calls
        self.roots = roots
        self.clock = clock
        // Watched before it is looked at: what changes in between is seen.
        let folder = try DeviceFolder(dev: roots.dev)
        state = PerProcess(Lock(State(folder: folder, told: DeviceSnapshot(calls, roots: roots)))) { owner in
            let told = DeviceSnapshot(calls, roots: roots)
            return Lock(State(folder: nil, told: told, failure: owner.refusal(of: "the watch of sound cards")))
        }
    }

    /// The cards as they were at the beginning, and after all changes that were found since.
    public var cards: [SoundCard] { state.value.withLock { $0.told.entries.map(\.card) } }

    /// What `default` meant at the beginning, and after all changes that were found since.
    public var defaultDevice: DefaultDevice { state.value.withLock { $0.told.standard } }

    /// Readable when there may be a change: then call ``next(timeout:)`` with `.zero`. Not to be read or closed.
    ///
    /// −1 after ``end()``.
    public var descriptor: Int32 { folder?.descriptor ?? -1 }

    /// The next change.
    ///
    /// - Parameter timeout: Longest wait; `.zero` polls, `nil` waits for ever.
    /// - Returns: The change; `nil` after ``end()``.
    /// - Throws: ``AudioError`` with code `timedOut`; `outOfResources`, `permissionDenied` or `deviceFailed` where
    ///   `/dev` can no longer be watched.
    public func next(timeout: Duration? = nil) throws(AudioError) -> DeviceChange? {
        try next(timeout: timeout, interrupt: -1)
    }

    /// As the public one, but also ends, with `nil`, when the descriptor `interrupt` is readable.
    package func next(timeout: Duration?, interrupt: Int32) throws(AudioError) -> DeviceChange? {
        let deadline = timeout.map { clock.now.advanced(by: $0) }
        var descriptors = DescriptorSet(count: 3)
        descriptors.watch(interrupt, at: 2)
        while true {
            let (change, lookAt) = try look()
            if let change { return change }
            guard let folder else { return nil }
            if let deadline, clock.now >= deadline {
                throw AudioError(.timedOut, "no sound card changed within \(timeout ?? .zero)")
            }
            descriptors.watch(folder.noticing, at: 0)
            descriptors.watch(folder.ending, at: 1)
            _ = clock.wait(for: descriptors, until: [lookAt, deadline].compactMap(\.self).min())
            if descriptors.isReady(at: 2) { return nil }
        }
    }

    /// Ends it for all who wait, and closes its descriptors.
    public func end() {
        let folder = state.value.withLock { state in
            let folder = state.folder
            state.folder = nil
            state.pending = []
            return folder
        }
        folder?.end()
    }

    /// What is watched; whoever waits keeps it open.
    var folder: DeviceFolder? { state.value.withLock { $0.folder } }

    /// The next change that is due, or when to look again without any further sign.
    func look() throws(AudioError) -> (change: DeviceChange?, lookAt: MonotonicInstant?) {
        try state.value.withLock { (state) throws(AudioError) in
            if let failure = state.failure { throw failure }
            guard let folder = state.folder else { return (nil, nil) }
            if !state.pending.isEmpty { return (state.pending.removeFirst(), nil) }
            if try folder.hasNoticed() { state.settling.noticed(at: clock.now) }
            if state.settling.isDue(at: clock.now) {
                let now = DeviceSnapshot(calls, roots: roots)
                if state.settling.looked(isComplete: now.isComplete, at: clock.now) {
                    state.pending = now.changes(since: state.told)
                    state.told = now
                }
            }
            let change = state.pending.isEmpty ? nil : state.pending.removeFirst()
            // The descriptor stays readable while there is more.
            let rest = state.pending.isEmpty ? state.settling.lookAt.map { clock.now.duration(to: $0) } : .zero
            folder.wake(after: rest)
            return (change, state.settling.lookAt)
        }
    }
}

/// When to look after signs of a change: once it is quiet, but not for ever.
struct Settling: Sendable {
    /// No sign for this long is quiet.
    static let quiet = Duration.milliseconds(100)
    /// After the first sign nobody waits longer than this.
    static let limit = Duration.milliseconds(600)

    private var begun: MonotonicInstant?
    private(set) var lookAt: MonotonicInstant?

    init() {}

    mutating func noticed(at now: MonotonicInstant) {
        begun = begun ?? now
        postpone(from: now)
    }

    func isDue(at now: MonotonicInstant) -> Bool { lookAt.map { $0 <= now } ?? false }

    /// - Returns: Whether what was seen is to be told.
    mutating func looked(isComplete: Bool, at now: MonotonicInstant) -> Bool {
        guard let begun, !isComplete, now < begun.advanced(by: Self.limit) else {
            self = Settling()
            return true
        }
        postpone(from: now)
        return false
    }

    private mutating func postpone(from now: MonotonicInstant) {
        guard let begun else { return }
        lookAt = min(now.advanced(by: Self.quiet), begun.advanced(by: Self.limit))
    }
}
