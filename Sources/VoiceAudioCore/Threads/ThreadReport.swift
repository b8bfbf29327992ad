/// One thread of the library's. `Codable`, with keys in snake case.
public struct ThreadReport: Sendable, Hashable, Codable {
    /// What a thread is there for. More may come.
    public struct Role: RawRepresentable, Sendable, Hashable, Codable {
        public var rawValue: String

        public init(rawValue: String) { self.rawValue = rawValue }

        /// Captures from one source.
        public static let capture = Self(rawValue: "capture")
        /// Samples how near the process is to its memory limit.
        public static let pressureMonitor = Self(rawValue: "pressure")
        /// Cleans up as memory is short.
        public static let cleanup = Self(rawValue: "cleanup")
        /// Runs one clean-up handler.
        public static let cleanupHandler = Self(rawValue: "handler")
        /// Wakes tasks that wait.
        public static let notifier = Self(rawValue: "notify")
        /// Runs one blocking call of async code, or waits for a child process.
        public static let call = Self(rawValue: "call")
        /// Ends captures and files as the process ends.
        public static let shutdown = Self(rawValue: "shutdown")
        /// Serves what can be monitored.
        public static let monitor = Self(rawValue: "monitor")
    }

    /// Counts the threads that were started in this process: it does not come again, as `threadID` may.
    public var number: Int
    /// What `top` and debuggers show: `va-` and the role.
    public var name: String
    /// The kernel's number of it; `nil` until it runs.
    public var threadID: Int?
    /// Since it was started.
    public var ageSeconds: Double
    /// Processor time that it took; `nil` until it runs.
    public var cpuSeconds: Double?
    /// Whether somebody waited for its end in vain, and left it to itself.
    public var isQuarantined: Bool

    /// What it is there for.
    public var role: Role { Role(rawValue: name.hasPrefix("va-") ? String(name.dropFirst(3)) : name) }

    enum CodingKeys: String, CodingKey {
        case number
        case name
        case threadID = "thread_id"
        case ageSeconds = "age_seconds"
        case cpuSeconds = "cpu_seconds"
        case isQuarantined = "quarantined"
    }
}

extension ThreadReport: CustomStringConvertible {
    /// `va-capture (4711), 3.2 s old`, and whether it was left to itself.
    public var description: String {
        let tenths = Int(ageSeconds * 10)
        return "\(name)\(threadID.map { " (\($0))" } ?? ""), \(tenths / 10).\(tenths % 10) s old"
            + (isQuarantined ? ", left to itself" : "")
    }
}
