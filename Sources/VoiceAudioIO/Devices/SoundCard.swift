/// A sound card: what it is, where it is plugged in, and its PCMs.
///
/// ``CaptureDevices/cards()`` lists those there are, from the kernel's files; nothing is opened for it.
public struct SoundCard: Sendable, Hashable, Codable {
    /// The card's number at present. Another card may have it after the next start: ``identity`` tells which one it is.
    public var index: Int
    /// What this card is, whatever its number.
    public var identity: CardIdentity
    /// What to open so that it is this card each time: ``ALSASource/init(device:)``, `VOICE_AUDIO_DEVICE`.
    ///
    /// The shortest name that is unambiguous among the cards there are; `nil` for a card that only plays.
    public var stableName: String?
    /// For people: `USB PnP Sound Device`.
    public var name: String
    /// The same with maker and place, as the driver gives it.
    public var longName: String
    /// The driver's name: `USB-Audio`.
    public var driver: String
    /// The card's PCMs, in the order of their numbers.
    public var pcms: [CardPCM]

    /// A card of the values given.
    public init(
        index: Int, identity: CardIdentity, stableName: String? = nil, name: String, longName: String = "",
        driver: String = "", pcms: [CardPCM] = []
    ) {
        self.index = index
        self.identity = identity
        self.stableName = stableName
        self.name = name
        self.longName = longName
        self.driver = driver
        self.pcms = pcms
    }

    /// ALSA's short name of the card, unique among the cards at present: `Mic` in `hw:CARD=Mic`.
    public var id: String { identity.cardID }

    /// Whether ALSA's configuration means this card by `text`: its id, or its number at present.
    func isMeant(by text: some StringProtocol) -> Bool { id == text || "\(index)" == text }

    /// The PCMs that capture.
    public var capturingPCMs: [CardPCM] { pcms.filter { $0.capture != nil } }

    enum CodingKeys: String, CodingKey {
        case index
        case identity
        case stableName = "stable_name"
        case name
        case longName = "long_name"
        case driver
        case pcms
    }
}

/// One PCM of a sound card: `DEV` in `hw:CARD=…,DEV=…`.
public struct CardPCM: Sendable, Hashable, Codable {
    /// The PCM's number on its card.
    public var device: Int
    /// For people; empty where the kernel does not tell.
    public var name: String
    /// What it captures; `nil` where it only plays.
    public var capture: Direction?
    /// What it plays; `nil` where it only captures.
    public var playback: Direction?

    /// A PCM of the values given.
    public init(device: Int, name: String, capture: Direction? = nil, playback: Direction? = nil) {
        self.device = device
        self.name = name
        self.capture = capture
        self.playback = playback
    }

    /// One direction of a PCM.
    public struct Direction: Sendable, Hashable, Codable {
        /// How many programs can open it at once; `nil` where the kernel does not tell.
        public var subdeviceCount: Int?
        /// What the hardware itself runs at; `nil` where that is not known without opening it.
        public var nativeFormats: [NativeFormat]?

        /// A direction of the values given.
        public init(subdeviceCount: Int? = nil, nativeFormats: [NativeFormat]? = nil) {
            self.subdeviceCount = subdeviceCount
            self.nativeFormats = nativeFormats
        }

        enum CodingKeys: String, CodingKey {
            case subdeviceCount = "subdevices"
            case nativeFormats = "native_formats"
        }
    }
}

/// What a sound card's hardware can run at, in one of its settings.
public struct NativeFormat: Sendable, Hashable, Codable {
    /// ALSA's names of the sample formats: `S16_LE`, `S24_3LE`.
    public var sampleFormats: [String]
    /// Channels in a frame.
    public var channelCount: Int
    /// Frames in a second, ascending; where ``isContinuous``, the lowest and the highest.
    public var ratesHz: [Int]
    /// Whether all rates between the first and the last are possible, too.
    public var isContinuous: Bool

    /// A format of the values given.
    public init(sampleFormats: [String], channelCount: Int, ratesHz: [Int], isContinuous: Bool = false) {
        self.sampleFormats = sampleFormats
        self.channelCount = channelCount
        self.ratesHz = ratesHz
        self.isContinuous = isContinuous
    }

    enum CodingKeys: String, CodingKey {
        case sampleFormats = "formats"
        case channelCount = "channels"
        case ratesHz = "rates_hz"
        case isContinuous = "rates_continuous"
    }
}

extension NativeFormat: CustomStringConvertible {
    /// For people: `16000, 44100, 48000 Hz, 2 ch, S16_LE`.
    public var description: String {
        let rates = ratesHz.map(String.init).joined(separator: isContinuous ? " to " : ", ")
        return "\(rates) Hz, \(channelCount) ch, \(sampleFormats.joined(separator: ", "))"
    }
}
