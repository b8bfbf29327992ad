import VoiceAudioCore

/// When a ``RecordingSeries`` goes on in another file, and how many files it keeps.
public struct RecordingRotation: Sendable, Hashable {
    /// The most audio in one file, to the frame; `nil` for no limit.
    public var maximumDuration: Duration?
    /// The most bytes in one file, which an append is never split for; `nil` for no limit.
    public var maximumByteCount: Int?
    /// How many files of the series may stay, the one being written included: the oldest are removed. `nil` keeps all.
    public var keptFileCount: Int?

    /// At least one of the two limits.
    public init(maximumDuration: Duration? = nil, maximumByteCount: Int? = nil, keptFileCount: Int? = nil) {
        self.maximumDuration = maximumDuration
        self.maximumByteCount = maximumByteCount
        self.keptFileCount = keptFileCount
    }
}

extension RecordingRotation {
    /// The most frames in one file.
    ///
    /// - Throws: `invalidConfiguration` where there is no limit, or one that is not positive.
    func frameLimit(_ format: AudioFormat) throws(AudioError) -> Int {
        func refuse(_ what: String) -> AudioError { AudioError(.invalidConfiguration, "a rotation \(what)") }
        guard maximumDuration != nil || maximumByteCount != nil else {
            throw refuse("needs maximumDuration, maximumByteCount or both")
        }
        if let count = maximumByteCount, count < 1 {
            throw refuse("has maximumByteCount \(count): accepted are 1 and more")
        }
        if let count = keptFileCount, count < 1 { throw refuse("has keptFileCount \(count): accepted are 1 and more") }
        guard let duration = maximumDuration else { return .max }
        let frames = format.frameCount(in: duration)
        guard frames > 0 else { throw refuse("has maximumDuration \(duration): accepted is a frame and more") }
        return frames
    }
}
