/// The audio objects that an ``AudioObjectTracker`` knows to be alive, by owner and one by one.
public struct AudioObjectReport: Sendable, Hashable, Codable {
    /// The tracker's name.
    public var name: String
    /// Objects alive.
    public var objectCount: Int
    /// Their bytes.
    public var byteCount: Int
    /// The most bytes that there ever were. An object that was not noticed to be gone counts.
    public var peakByteCount: Int
    /// Objects that went, since the tracker was made.
    public var releasedCount: Int
    /// What each owner has; the one with the most bytes first.
    public var owners: [Owner]
    /// As many objects as were asked for, in the order that was asked for.
    public var objects: [Object]

    /// What one owner has.
    public struct Owner: Sendable, Hashable, Codable {
        /// The label that its objects were given.
        public var owner: String
        /// Objects alive.
        public var objectCount: Int
        /// Their bytes.
        public var byteCount: Int

        enum CodingKeys: String, CodingKey {
            case owner
            case objectCount = "object_count"
            case byteCount = "byte_count"
        }
    }

    /// One object.
    public struct Object: Sendable, Hashable, Codable {
        /// The label that it was given.
        public var owner: String
        /// Its type.
        public var type: String
        /// Bytes that it was said to have.
        public var byteCount: Int
        /// Seconds since it was tracked first.
        public var ageSeconds: Double
        /// Where it was tracked: `Module/File.swift:12`.
        public var trackedAt: String

        enum CodingKeys: String, CodingKey {
            case owner
            case type
            case byteCount = "byte_count"
            case ageSeconds = "age_seconds"
            case trackedAt = "tracked_at"
        }
    }

    /// Which objects come first.
    public enum Order: String, Sendable, Hashable, CaseIterable, Codable {
        /// Those that have been there the longest: what leaks is among them.
        case oldestFirst
        /// Those with the most bytes.
        case biggestFirst
    }

    enum CodingKeys: String, CodingKey {
        case name
        case objectCount = "object_count"
        case byteCount = "byte_count"
        case peakByteCount = "peak_byte_count"
        case releasedCount = "released_count"
        case owners
        case objects
    }
}
