public import VoiceAudioCore

/// What became of one segment.
public struct SegmentResult: Sendable, Hashable {
    /// Which one: 0 for the first.
    public let index: Int
    /// The transcript, or why there is none.
    public let outcome: Result<Transcript, AudioError>
    /// How often it was tried; 0 where memory was too short to begin.
    public let attempts: Int
    /// From the first attempt's begin to the last one's end, waiting in between included.
    public let elapsed: Duration

    /// The text; `nil` where there is none.
    public var text: String? { try? outcome.get().text }

    /// A result of the values given.
    public init(index: Int, outcome: Result<Transcript, AudioError>, attempts: Int, elapsed: Duration) {
        self.index = index
        self.outcome = outcome
        self.attempts = attempts
        self.elapsed = elapsed
    }
}

/// With the keys `index`, `attempts` and `elapsed_seconds`, and either `transcript` or `error_code`, `error_message` and,
/// where a system call failed, `error_status`: for a `ResultCollector`.
extension SegmentResult: Codable {
    private enum CodingKeys: String, CodingKey {
        case index
        case attempts
        case elapsedSeconds = "elapsed_seconds"
        case transcript
        case errorCode = "error_code"
        case errorMessage = "error_message"
        case errorStatus = "error_status"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        index = try values.decode(Int.self, forKey: .index)
        attempts = try values.decode(Int.self, forKey: .attempts)
        elapsed = try values.decodeSeconds(forKey: .elapsedSeconds)
        if let transcript = try values.decodeIfPresent(Transcript.self, forKey: .transcript) {
            outcome = .success(transcript)
        } else {
            outcome = .failure(
                AudioError(
                    try values.decode(AudioError.Code.self, forKey: .errorCode),
                    try values.decode(String.self, forKey: .errorMessage),
                    status: try values.decodeIfPresent(Int32.self, forKey: .errorStatus)))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(index, forKey: .index)
        try values.encode(attempts, forKey: .attempts)
        try values.encode(elapsed / .seconds(1), forKey: .elapsedSeconds)
        switch outcome {
        case .success(let transcript): try values.encode(transcript, forKey: .transcript)
        case .failure(let error):
            try values.encode(error.code, forKey: .errorCode)
            try values.encode(error.message, forKey: .errorMessage)
            try values.encodeIfPresent(error.status, forKey: .errorStatus)
        }
    }
}
