public import VoiceAudioCore
public import VoiceAudioIO

/// How segments are transcribed.
public struct SegmentOptions: Sendable {
    /// Segments worked on at once while memory is plentiful, at least 1; a monitor makes it fewer.
    public var concurrency = 4
    /// How often a segment is tried, at least 1.
    public var maxAttempts = 2
    /// Time before the second attempt; each further one waits twice as long as the one before.
    public var retryDelay: Duration = .milliseconds(500)
    /// What is tried again.
    public var retriedCodes: Set<AudioError.Code> = [.timedOut, .transcriberFailed, .outOfResources]
    /// How long memory may be too short for the next segment, before it is given up with `memoryPressure`. Those after it are
    /// given up at once, until there is room again.
    public var maxPause: Duration = .seconds(60)
    /// How often is looked whether there is room again.
    public var pauseInterval: Duration = .milliseconds(250)
    /// Makes each text fit to store; `nil` leaves it as the transcriber gave it.
    public var sanitizer: TranscriptSanitizer? = TranscriptSanitizer()
    /// Refuses texts; `nil` accepts each.
    public var validator: TranscriptValidator? = TranscriptValidator()
    /// Where temporary files go; `nil` stands for `TMPDIR`, and for `/tmp` where that is not set.
    public var directory: String?
    /// Bytes that must stay free on the disk.
    public var minimumFreeBytes = TemporaryWAV.defaultMinimumFreeBytes
    /// Files to use again, which have a directory and a minimum of their own; only for transcribers that need no name.
    public var storage: TemporaryStoragePool?

    /// The defaults.
    public init() {}

    func check(needsNamedFile: Bool) throws(AudioError) {
        guard concurrency >= 1, maxAttempts >= 1, retryDelay >= .zero, maxPause >= .zero, pauseInterval > .zero else {
            throw AudioError(
                .invalidConfiguration,
                """
                segments with concurrency \(concurrency), \(maxAttempts) attempts, retry delay \(retryDelay), longest pause \
                \(maxPause) and pause interval \(pauseInterval): accepted are at least 1 of each, no negative times, and \
                an interval over zero
                """)
        }
        guard storage == nil || !needsNamedFile else {
            throw AudioError(
                .invalidConfiguration,
                "files of a storage pool have no name, and the transcriber needs one: give it no pool")
        }
    }
}
