/// An amount of memory: `.mebibytes(64)`.
public struct MemorySize: Sendable, Hashable, Codable {
    /// So many bytes.
    public var byteCount: Int

    /// So many bytes.
    public static func bytes(_ count: Int) -> Self { Self(byteCount: count) }

    /// So many times 1,024 bytes; the most there is, where that is more than can be counted.
    public static func kibibytes(_ count: Int) -> Self { Self(count, timesTwoTo: 10) }

    /// So many times 1,048,576 bytes; the most there is, where that is more than can be counted.
    public static func mebibytes(_ count: Int) -> Self { Self(count, timesTwoTo: 20) }

    private init(byteCount: Int) { self.byteCount = byteCount }

    private init(_ count: Int, timesTwoTo exponent: Int) {
        let (product, isTooLarge) = count.multipliedReportingOverflow(by: 1 << exponent)
        byteCount = isTooLarge ? (count < 0 ? .min : .max) : product
    }

    enum CodingKeys: String, CodingKey { case byteCount = "bytes" }
}

extension SessionRegistry {
    /// How much there may be at a time.
    public struct Limits: Sendable, Hashable {
        /// The most sessions, 1 to 100,000.
        public var sessions: Int
        /// The most memory that they have together, up to 1 PiB.
        public var memory: MemorySize

        /// Limits of the values given.
        public init(sessions: Int = 64, memory: MemorySize = .mebibytes(64)) {
            self.sessions = sessions
            self.memory = memory
        }

        /// What a session has that asks for nothing else.
        var shareBytes: Int { memory.byteCount / sessions }
    }
}
