public import VoiceAudioCore

/// Streams a recording to one file after another, without losing or repeating a frame.
///
/// The files of `meeting.wav` are `meeting-000001.wav`, `meeting-000002.wav` and so on. A series goes on after the highest
/// number that is there, and never replaces a file. Each is a ``RecordingWriter``'s, and whole on the disk before the next
/// begins, which comes with the first frame that belongs to it.
///
/// > Concurrency: One thread at a time: this object does not lock.
///
/// > Real-time: Not safe: writes to the disk, and waits for it between two files.
public final class RecordingSeries {
    /// The name that those of the files are made of.
    public let path: String
    /// The shape of the frames.
    public let format: AudioFormat
    /// The file that is being written, or was written last.
    public private(set) var currentPath: String
    /// Files that this object began.
    public private(set) var fileCount = 1

    private let files: SeriesFiles
    private let rotation: RecordingRotation
    private let frameLimit: Int
    private let byteLimit: Int
    private var number: Int
    private var writer: RecordingWriter
    private var finishedFrameCount = 0
    private var failure: AudioError?
    private var isFinished = false

    /// Creates the first file.
    ///
    /// - Parameters:
    ///   - path: What the names of the files are made of.
    ///   - format: The shape of the frames.
    ///   - type: The type of the files; `nil` for that of the suffix, with the usual quality.
    ///   - rotation: When to go on in another file.
    ///   - minimumFreeBytes: Bytes that must stay free on the disk: 1 GiB where nothing is said.
    ///   - clock: See ``RecordingWriter``.
    /// - Throws: `invalidConfiguration` where the rotation has no limit, or one that is not positive; and as
    ///   ``RecordingWriter``.
    public init(
        path: String, format: AudioFormat, type: RecordingFileType? = nil, rotation: RecordingRotation,
        minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes, clock: any AudioClock = SystemClock()
    ) throws(AudioError) {
        frameLimit = try rotation.frameLimit(format)
        byteLimit = rotation.maximumByteCount ?? .max
        files = try SeriesFiles(
            path, format: format, type: type, minimumFreeBytes: minimumFreeBytes, clock: clock)
        number = try files.highestNumber() + 1
        writer = try files.make(from: &number)
        currentPath = writer.path
        self.path = path
        self.format = format
        self.rotation = rotation
        removeOldest()
    }

    /// Frames appended to all files; after an error, those that are in them.
    public var frameCount: Int { finishedFrameCount + writer.frameCount }

    /// Appends frames, and goes on in another file where they belong there.
    ///
    /// A file holds one append at least, whatever the limit of bytes is.
    ///
    /// - Parameter bytes: Whole frames, interleaved, little endian.
    /// - Throws: As ``RecordingWriter/append(_:)-(RawSpan)``; also what creating the next file meets, as each later call;
    ///   `invalidState` after ``finish()``.
    public func append(_ bytes: RawSpan) throws(AudioError) {
        if let failure { throw failure }
        guard !isFinished else { throw AudioError(finished: path) }
        try bytes.requireWholeFrames(of: format)
        var rest = bytes
        while rest.byteCount > 0 {
            let frames = min(rest.byteCount / format.bytesPerFrame, frameLimit)
            let isOverBytes = writer.byteCountLimit(afterAppending: frames) > byteLimit
            if writer.frameCount >= frameLimit || (isOverBytes && writer.frameCount > 0) { try rotate() }
            let part = rest.extracting(first: min(frames, frameLimit - writer.frameCount) * format.bytesPerFrame)
            try writer.append(part)
            rest = rest.extracting(droppingFirst: part.byteCount)
        }
    }

    /// Appends a chunk: see ``append(_:)-(RawSpan)``.
    public func append(_ chunk: AudioChunk) throws(AudioError) {
        // SAFETY: the elements are plain bytes.
        try append(unsafe chunk.bytes.span.bytes)
    }

    /// Finishes the last file, for good: see ``RecordingWriter/finish()``.
    public func finish() throws(AudioError) {
        isFinished = true
        try writer.finish()
        if let failure { throw failure }
    }

    private func rotate() throws(AudioError) {
        do throws(AudioError) {
            try writer.finish()
            number += 1
            let next = try files.make(from: &number)
            finishedFrameCount += writer.frameCount
            writer = next
        } catch {
            failure = error
            throw error
        }
        currentPath = writer.path
        fileCount += 1
        removeOldest()
    }

    private func removeOldest() {
        guard let kept = rotation.keptFileCount else { return }
        files.removeAll(upTo: number - kept)
    }
}
