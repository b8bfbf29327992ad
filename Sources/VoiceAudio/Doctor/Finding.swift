public import VoiceAudioCore

/// What one check of a diagnosis found, and what mends it.
public struct Finding: Sendable, Hashable, Codable {
    /// What was looked at, in the order in which things depend on each other.
    public enum Check: String, Sendable, Hashable, CaseIterable, Codable {
        /// The settings: `VOICE_AUDIO_*`, or the program's.
        case settings
        /// Whether the kernel has a sound card, and its nodes are here.
        case kernel
        /// Whether the card's nodes may be opened.
        case permission
        /// Whether the device that is wanted exists.
        case device
        /// Whether another program holds it.
        case busy
        /// Whether the sound server answers, where one is on the way.
        case server
        /// Whether the mixer lets sound in.
        case mixer
        /// Rate, channels and format: what the device does, and what is converted.
        case format
        /// What is heard.
        case sound
        /// Whether frames were lost while listening.
        case losses
        /// Whether the capture thread has the priority that is asked for.
        case priority
        /// Whether there is room for files.
        case disk
    }

    /// How it stands.
    public enum Outcome: String, Sendable, Hashable, Codable {
        /// All is well.
        case fine = "ok"
        /// Sound comes, but something is not as it should be.
        case warning
        /// No sound, because of this.
        case failure
        /// Could not be looked at; the message says why.
        case skipped
    }

    /// Something that mends it.
    public struct Remedy: Sendable, Hashable, Codable {
        /// To be entered at a shell as it is; `nil` where it is nothing to enter.
        public var command: String?
        /// What it does, or what is to be done; for people.
        public var note: String?

        /// A remedy of the values given.
        public init(_ command: String? = nil, note: String? = nil) {
            self.command = command
            self.note = note
        }
    }

    /// What was looked at.
    public var check: Check
    /// How it stands.
    public var outcome: Outcome
    /// One sentence for people.
    public var message: String
    /// What mends it: the first one that fits, best first.
    public var remedies: [Remedy]
    /// The code of the error that capturing would fail with; `nil` where it would not.
    public var errorCode: AudioError.Code?

    /// A finding of the values given.
    public init(
        _ check: Check, _ outcome: Outcome, _ message: String, remedies: [Remedy] = [],
        errorCode: AudioError.Code? = nil
    ) {
        self.check = check
        self.outcome = outcome
        self.message = message
        self.remedies = remedies
        self.errorCode = errorCode
    }

    enum CodingKeys: String, CodingKey {
        case check
        case outcome
        case message
        case remedies
        case errorCode = "error_code"
    }
}
