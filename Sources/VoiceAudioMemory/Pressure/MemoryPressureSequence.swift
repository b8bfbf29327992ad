public import VoiceAudioCore

/// The changes of a monitor's status, for `for try await`; see ``MemoryPressureMonitor/changes()``.
public struct MemoryPressureSequence: AsyncSequence, Sendable {
    public typealias Element = MemoryPressureStatus
    public typealias Failure = AudioError

    private let core: Result<PressureCore, AudioError>

    init(core: Result<PressureCore, AudioError>) { self.core = core }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(
            listener: core.flatMap { core in
                Result { () throws(AudioError) in try PressureListener(core) }
            })
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        public typealias Element = MemoryPressureStatus
        public typealias Failure = AudioError

        private let listener: Result<PressureListener, AudioError>
        private var told: MemoryPressureStatus?
        private var wait = DescriptorWait()

        fileprivate init(listener: Result<PressureListener, AudioError>) { self.listener = listener }

        /// The next change; `nil` at the end.
        ///
        /// - Throws: ``AudioError`` with code `outOfResources`.
        public mutating func next() async throws(AudioError) -> MemoryPressureStatus? {
            let listener = try listener.get()
            while !Task.isCancelled {
                let (status, isOver) = listener.look()
                if let status, told.map(status.differs) ?? true {
                    told = status
                    return status
                }
                if isOver { return nil }
                _ = try await wait.untilReadable(listener.descriptor, of: "the memory pressure")
            }
            return nil
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(AudioError) -> MemoryPressureStatus? {
            try await next()
        }
    }
}

/// Who wants to know of changes. In a fork of the process nothing comes any more.
private final class PressureListener: Sendable {
    private let core: PressureCore
    private let wakeUp: WakeUp
    private let era: Int
    private let owner = OwningProcess()

    /// - Throws: `outOfResources`, or `invalidState` where a fork asks for a sequence of its parent's.
    init(_ core: PressureCore) throws(AudioError) {
        try core.owner.check("the sequence of changes")
        self.core = core
        wakeUp = try WakeUp()
        era = core.add(wakeUp)
    }

    deinit { if owner.isCurrent { core.remove(wakeUp) } }

    var descriptor: Int32 { wakeUp.descriptor }

    func look() -> (status: MemoryPressureStatus?, isOver: Bool) {
        guard owner.isCurrent else { return (nil, true) }
        wakeUp.clear()
        let (status, era) = core.look()
        return (status, era != self.era)
    }
}
