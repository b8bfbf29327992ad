public import VoiceAudioCore

/// A part of a program that is started, watched and stopped: a transcriber, a speech engine, a SIP client.
///
/// One object lives once: it is started once and, if that succeeded, stopped once, whoever asks for it and how often. To
/// start again, the registry's factory makes another object. So there is no state to reset.
///
/// > Concurrency: Made and called on one thread of its own, one call after the other, from first to last. A call that does
/// > not return keeps only that thread. What else the program calls on the object comes from the program's threads.
public protocol AudioComponent: AnyObject, Sendable {
    /// Makes it ready for work.
    ///
    /// One that throws has given back what it took: it is not stopped. One that returns after its deadline is stopped at
    /// once, and never counts as running.
    ///
    /// - Parameter deadline: How long it is waited for.
    func start(deadline: Duration) throws

    /// Ends its work and gives back everything. Not called again if it throws.
    ///
    /// - Parameter deadline: How long it is waited for.
    func stop(deadline: Duration) throws

    /// Throws what is wrong with it; returns where it works. The proof of each start, and asked by
    /// ``ComponentRegistry/health(deadline:)``.
    func checkHealth() throws
}

/// Makes one object of a component, on the thread that will call it. What it throws is a start that failed.
public typealias ComponentFactory = @Sendable () throws -> any AudioComponent

/// How a component is started and stopped.
public struct ComponentOptions: Sendable, Hashable {
    /// Whether two of it cannot be there at once: a device that only one can hold. A replacement then stops the old one
    /// first, and none is made while a call of an earlier one has not returned.
    public var isExclusive: Bool
    /// How long making, starting and proving it may take together.
    public var startDeadline: Duration
    /// How long stopping it may take.
    public var stopDeadline: Duration
    /// How many of its threads may wait for calls that did not return in time. While there are as many, none is started: one
    /// that hangs each time must not take a thread each time.
    public var maxQuarantinedThreads: Int

    /// The defaults, or others.
    public init(
        isExclusive: Bool = false, startDeadline: Duration = .seconds(10), stopDeadline: Duration = .seconds(5),
        maxQuarantinedThreads: Int = 8
    ) {
        self.isExclusive = isExclusive
        self.startDeadline = startDeadline
        self.stopDeadline = stopDeadline
        self.maxQuarantinedThreads = maxQuarantinedThreads
    }

    func check(for name: String) throws(AudioError) {
        guard startDeadline > .zero, stopDeadline > .zero, maxQuarantinedThreads >= 1 else {
            throw AudioError(
                .invalidConfiguration,
                """
                component "\(name)" with start deadline \(startDeadline), stop deadline \(stopDeadline) and \
                \(maxQuarantinedThreads) quarantined threads: accepted are times over zero, and at least 1 thread
                """)
        }
    }
}

extension AudioError.Code {
    /// A component threw something that is no ``AudioError``; the message has it.
    public static let componentFailed = Self(rawValue: "componentFailed")
}

extension AudioError {
    /// What a component's own code threw.
    init(ofComponent name: String, in call: ComponentLife.Call, _ error: any Error) {
        self =
            (error as? AudioError)
            ?? AudioError(.componentFailed, "component \"\(name)\" failed in \(call.rawValue): \(error)")
    }
}
