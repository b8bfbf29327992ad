public import VoiceAudioCore
public import VoiceAudioIO

/// What an ``AudioProcessor`` holds, drops and takes: `Codable`, with the keys that JSON readers know.
///
/// Chunk counts and bytes are of one instant each.
public struct MemoryUsage: Sendable, Hashable, Codable {
    /// Chunks in the history.
    public var bufferSize: Int
    /// The most chunks it may hold.
    public var maxBufferSize: Int
    /// `bufferSize` of `maxBufferSize`, 0…100.
    public var bufferUsagePercent: Double
    /// Bytes of samples in the history.
    public var memoryUsageBytes: Int
    /// The most bytes it may hold.
    public var memoryLimitBytes: Int
    /// `memoryUsageBytes` of `memoryLimitBytes`, 0…100.
    public var memoryUsagePercent: Double
    /// Frames in a chunk.
    public var chunkSize: Int
    /// Frames per second.
    public var sampleRate: Int
    /// Samples in a frame.
    public var channels: Int

    /// The most chunks that were ever in the history.
    public var peakBufferSize: Int
    /// The most bytes of samples that were ever in it.
    public var peakMemoryUsageBytes: Int
    /// Memory taken for the history, touched or not; 0 while there is none.
    public var allocatedBytes: Int
    /// What `allocatedBytes` never exceeds.
    public var allocationLimitBytes: Int
    /// What of it the system really gave.
    public var residentBytes: Int
    /// What did not stay, since the processor was made.
    public var drops: Drops
    /// The subscribers' rings.
    public var subscribers: [Subscriber]
    /// Capture threads that did not end in time.
    public var quarantinedThreads = 0
    /// How the capture fares; `nil` while nothing is captured.
    public var health: CaptureHealth?
    /// Resident memory of the whole process, in bytes.
    public var processRSSBytes: Int

    /// Dropped audio by cause.
    public struct Drops: Sendable, Hashable, Codable {
        /// The history dropped its oldest chunks.
        public var ringEvicted = AudioCount()
        /// The history refused what arrived.
        public var ringRefused = AudioCount()
        /// Thrown away by `forceCleanupBuffers()`.
        public var cleanedUp = AudioCount()
        /// Frames that the device lost.
        public var device = 0

        mutating func add(_ statistics: AudioBufferStatistics) {
            ringEvicted = ringEvicted + statistics.evicted
            ringRefused = ringRefused + statistics.refused
            cleanedUp = cleanedUp + statistics.cleared
        }

        enum CodingKeys: String, CodingKey {
            case ringEvicted = "ring_evicted"
            case ringRefused = "ring_refused"
            case cleanedUp = "cleaned_up"
            case device = "device_frames"
        }
    }

    /// One subscriber's ring.
    public struct Subscriber: Sendable, Hashable, Codable {
        /// Chunks that wait for the reader.
        public var bufferSize: Int
        /// The most that may.
        public var maxBufferSize: Int
        /// Bytes that wait.
        public var memoryUsageBytes: Int
        /// Memory taken, touched or not.
        public var allocatedBytes: Int
        /// What `allocatedBytes` never exceeds.
        public var allocationLimitBytes: Int
        /// What the reader missed.
        public var dropped: AudioCount
        /// What was left out on purpose, as the reader samples; it is not among `dropped`.
        public var skipped: AudioCount

        enum CodingKeys: String, CodingKey {
            case bufferSize = "buffer_size"
            case maxBufferSize = "max_buffer_size"
            case memoryUsageBytes = "memory_usage_bytes"
            case allocatedBytes = "allocated_bytes"
            case allocationLimitBytes = "allocation_limit_bytes"
            case dropped
            case skipped
        }
    }

    enum CodingKeys: String, CodingKey {
        case bufferSize = "buffer_size"
        case maxBufferSize = "max_buffer_size"
        case bufferUsagePercent = "buffer_usage_percent"
        case memoryUsageBytes = "memory_usage_bytes"
        case memoryLimitBytes = "memory_limit_bytes"
        case memoryUsagePercent = "memory_usage_percent"
        case chunkSize = "chunk_size"
        case sampleRate = "sample_rate"
        case channels
        case peakBufferSize = "peak_buffer_size"
        case peakMemoryUsageBytes = "peak_memory_usage_bytes"
        case allocatedBytes = "allocated_bytes"
        case allocationLimitBytes = "allocation_limit_bytes"
        case residentBytes = "resident_bytes"
        case drops
        case subscribers
        case quarantinedThreads = "quarantined_threads"
        case health
        case processRSSBytes = "process_rss_bytes"
    }
}

extension MemoryUsage {
    init(
        configuration: AudioConfiguration, history: BoundedAudioBuffer?, drops: Drops,
        subscribers: [BoundedAudioBuffer], processRSSBytes: Int
    ) {
        let fill = history?.fill ?? (chunks: 0, bytes: 0)
        bufferSize = fill.chunks
        maxBufferSize = configuration.maxChunks
        bufferUsagePercent = 100 * Double(fill.chunks) / Double(configuration.maxChunks)
        memoryUsageBytes = fill.bytes
        memoryLimitBytes = configuration.maxBytes
        memoryUsagePercent = 100 * Double(fill.bytes) / Double(configuration.maxBytes)
        chunkSize = configuration.chunkFrameCount
        sampleRate = configuration.sampleRateHz
        channels = configuration.channelCount
        let statistics = history?.statistics
        peakBufferSize = statistics?.peakChunks ?? 0
        peakMemoryUsageBytes = statistics?.peakBytes ?? 0
        allocatedBytes = history?.allocatedBytes ?? 0
        allocationLimitBytes = history?.allocationLimitBytes ?? 0
        residentBytes = history?.residentBytes ?? 0
        self.drops = drops
        self.subscribers = subscribers.map(Subscriber.init)
        self.processRSSBytes = processRSSBytes
    }
}

extension MemoryUsage.Subscriber {
    init(_ buffer: BoundedAudioBuffer) {
        let fill = buffer.fill
        let statistics = buffer.statistics
        bufferSize = fill.chunks
        maxBufferSize = buffer.maxChunks
        memoryUsageBytes = fill.bytes
        allocatedBytes = buffer.allocatedBytes
        allocationLimitBytes = buffer.allocationLimitBytes
        dropped = Self.missed(in: buffer)
        let passed = statistics.evicted + statistics.refused
        skipped = buffer.isSampled ? passed + statistics.skipped : AudioCount()
    }

    /// What the reader of a ring missed: where it samples, only what a clean-up took.
    static func missed(in buffer: BoundedAudioBuffer) -> AudioCount {
        let statistics = buffer.statistics
        return buffer.isSampled ? statistics.cleared : statistics.evicted + statistics.refused + statistics.cleared
    }
}
