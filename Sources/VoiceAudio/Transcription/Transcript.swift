/// What was said.
public struct Transcript: Sendable, Hashable, Codable {
    /// The words.
    public var text: String
    /// The language that the transcriber was told, or found; `nil` where neither.
    public var language: String?
    /// How long the transcriber took.
    public var elapsed: Duration

    /// A transcript of the values given.
    public init(text: String, language: String? = nil, elapsed: Duration = .zero) {
        self.text = text
        self.language = language
        self.elapsed = elapsed
    }

    private enum CodingKeys: String, CodingKey {
        case text
        case language
        case elapsedSeconds = "elapsed_seconds"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        text = try values.decode(String.self, forKey: .text)
        language = try values.decodeIfPresent(String.self, forKey: .language)
        elapsed = try values.decodeSeconds(forKey: .elapsedSeconds)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(text, forKey: .text)
        try values.encodeIfPresent(language, forKey: .language)
        try values.encode(elapsed / .seconds(1), forKey: .elapsedSeconds)
    }
}

extension KeyedDecodingContainer {
    /// A duration that stands there as its seconds.
    ///
    /// - Throws: `DecodingError`, also for a number of seconds that no `Duration` can have: `Duration.seconds(_:)` would trap.
    func decodeSeconds(forKey key: Key) throws -> Duration {
        let seconds = try decode(Double.self, forKey: key)
        guard seconds.magnitude < 0x1p63 else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "\(seconds) seconds are more than a duration can have")
        }
        return .seconds(seconds)
    }
}
