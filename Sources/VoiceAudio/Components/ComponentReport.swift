/// The components of a ``ComponentRegistry``, as they are known to be.
public struct ComponentReport: Sendable, Hashable, Codable {
    /// The components, in the order of registration.
    public var components: [Component]
    /// Threads that wait for a call that did not return in time.
    public var quarantinedThreadCount: Int

    /// What a component is doing.
    public enum State: String, Sendable, Hashable, CaseIterable, Codable {
        /// Not started yet, or stopped.
        case idle
        /// Being started, while none runs.
        case starting
        /// One runs.
        case running
        /// Being stopped.
        case stopping
        /// The last start failed, and none runs.
        case failed
    }

    /// How a component that runs answered when it was asked last.
    public enum Health: String, Sendable, Hashable, CaseIterable, Codable {
        /// It works.
        case healthy
        /// It threw.
        case unhealthy
        /// It did not answer in time.
        case unanswered
    }

    /// One component.
    public struct Component: Sendable, Hashable, Codable {
        /// Its name.
        public var name: String
        /// What it is doing.
        public var state: State
        /// How long it has been doing that, in seconds.
        public var stateSeconds: Double
        /// How it answered last; `nil` where none runs.
        public var health: Health?
        /// The last thing that went wrong with it, in words; kept when all is well again.
        public var lastError: String?
        /// How often one of it began to run.
        public var startCount: Int
        /// Its threads that wait for a call that did not return in time.
        public var quarantinedThreadCount: Int

        enum CodingKeys: String, CodingKey {
            case name
            case state
            case stateSeconds = "state_seconds"
            case health
            case lastError = "last_error"
            case startCount = "start_count"
            case quarantinedThreadCount = "quarantined_thread_count"
        }
    }

    enum CodingKeys: String, CodingKey {
        case components
        case quarantinedThreadCount = "quarantined_thread_count"
    }
}
