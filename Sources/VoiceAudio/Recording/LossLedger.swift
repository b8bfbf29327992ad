public import VoiceAudioCore

/// Every gap of a recording: how much is missing, where, and why.
public struct LossLedger: Sendable, Hashable, Codable {
    /// One gap.
    public struct Entry: Sendable, Hashable, Codable {
        /// Frames of the recording before the gap, those lost earlier included.
        public var framePosition: Int
        /// The same as a time since the recording's start, in seconds.
        public var seconds: Double
        /// What is missing.
        public var loss: AudioLoss

        enum CodingKeys: String, CodingKey {
            case framePosition = "at_frame"
            case seconds
            case loss
        }
    }

    /// The gaps, earliest first.
    public private(set) var entries: [Entry] = []
    private let sampleRateHz: Int

    init(sampleRateHz: Int) { self.sampleRateHz = sampleRateHz }

    /// Frames missing altogether.
    public var totalFrames: Int { entries.reduce(0) { $0 + $1.loss.frames } }

    /// Frames missing for one cause.
    public func frames(lostBy cause: AudioLoss.Cause) -> Int {
        entries.reduce(0) { $1.loss.cause == cause ? $0 + $1.loss.frames : $0 }
    }

    /// Whether nothing is missing.
    public var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ loss: AudioLoss, at framePosition: Int) {
        guard loss.frames > 0 else { return }
        entries.append(
            Entry(framePosition: framePosition, seconds: Double(framePosition) / Double(sampleRateHz), loss: loss))
    }

    enum CodingKeys: String, CodingKey {
        case entries
        case sampleRateHz = "sample_rate_hz"
    }
}

extension LossLedger: CustomStringConvertible {
    /// `device overrun: 320 frames at 1.24 s`, for each gap.
    public var description: String {
        guard !isEmpty else { return "nothing lost" }
        return entries.map { entry in
            let hundredths = Int((entry.seconds * 100).rounded())
            let fraction = hundredths % 100
            return "\(entry.loss) at \(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
        }.joined(separator: "; ")
    }
}
