public import VoiceAudioCore

/// A source without a device: a sound file, a tone or built-in speech, at the pace of a microphone or at once.
///
/// ```swift
/// let processor = AudioProcessor(source: SimulatedSource(file: "hello.wav", pace: .asFastAsPossible))
/// ```
///
/// At ``Pace/realTime`` it behaves as a device does: frames arrive by the period, and who does not fetch them in time
/// loses the oldest, counted to the frame.
///
/// | device name | gives |
/// |---|---|
/// | `sim:` | a few seconds of built-in speech over and over, at any rate and channel count |
/// | `sim:tone=HZ` | a sine without end, at any rate and channel count |
/// | `sim:FILE` | a sound file to its end, at its own rate; a mono file at any channel count |
public struct SimulatedSource: CaptureSource {
    /// How fast frames come.
    public enum Pace: Sendable, Hashable {
        /// As from a microphone: by the period, on the capture's clock.
        case realTime
        /// As many as fit, whenever they are asked for. Nothing is ever lost.
        case asFastAsPossible
    }

    private enum Sound: Hashable {
        case speech(loops: Bool)
        case tone(hertz: Double, amplitude: Double)
        case file(String, loops: Bool)
    }

    private let sound: Sound
    private let pace: Pace

    public let name: String

    private init(_ sound: Sound, name: String, pace: Pace) {
        self.sound = sound
        self.name = name
        self.pace = pace
    }

    /// A sound file of any kind that libsndfile reads.
    ///
    /// - Parameters:
    ///   - file: Path of the file, which is opened when capture starts.
    ///   - pace: How fast frames come.
    ///   - loops: Whether the file starts again at its end, instead of ending the capture.
    public init(file: String, pace: Pace = .realTime, loops: Bool = false) {
        self.init(.file(file, loops: loops), name: "sim:" + file, pace: pace)
    }

    /// A sine without end, the same on all channels.
    ///
    /// - Parameters:
    ///   - toneHz: Above 0 and below half of the sample rate, which is checked when capture starts.
    ///   - amplitude: Its peak, 0…1.
    ///   - pace: How fast frames come.
    public init(toneHz: Double, amplitude: Double = 0.5, pace: Pace = .realTime) {
        self.init(.tone(hertz: toneHz, amplitude: amplitude), name: "sim:tone=\(toneHz)", pace: pace)
    }

    /// A few seconds of speech, built in.
    ///
    /// - Parameters:
    ///   - pace: How fast frames come.
    ///   - loops: Whether it starts again at its end, as a microphone has none.
    public static func speech(pace: Pace = .realTime, loops: Bool = true) -> SimulatedSource {
        SimulatedSource(.speech(loops: loops), name: "sim:", pace: pace)
    }

    /// What a device name that begins with `sim:` stands for, at the pace of a microphone.
    ///
    /// A file whose name looks like a tone is reached as `sim:./tone=…`.
    ///
    /// - Throws: `invalidConfiguration` where it is no such name.
    public init(device: String) throws(AudioError) {
        guard device.hasPrefix("sim:") else {
            throw AudioError(.invalidConfiguration, "\"\(device)\" is no simulated device: its name begins with sim:")
        }
        let rest = device.dropFirst(4)
        if rest.isEmpty {
            self = .speech()
        } else if rest.hasPrefix("tone=") {
            let number = rest.dropFirst(5)
            guard number.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }), let hertz = Double(number), hertz > 0
            else {
                throw AudioError(
                    .invalidConfiguration, "\"\(device)\" is no tone: accepted are decimal numbers of Hz above 0")
            }
            self.init(toneHz: hertz)
        } else {
            self.init(file: String(rest))
        }
    }

    /// - Throws: `unsupportedFormat` where a file has another rate or channel count, or a tone is not below half of the
    ///   rate; `invalidConfiguration` for an amplitude that is not 0…1; `noSuchFile`, `permissionDenied`,
    ///   `unreadableFile`, `outOfResources`.
    public func open(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream {
        let format = request.format
        guard format.sampleRateHz > 0, format.channelCount > 0, request.chunkFrameCount > 0 else {
            throw AudioError(
                .invalidConfiguration,
                "\(format) in chunks of \(request.chunkFrameCount) frames: rate, channels and frames are above 0")
        }
        let supply: any FrameSupply
        switch sound {
        case .speech(let loops):
            supply = try ClipSupply(speechFor: format, loops: loops)
        case .tone(let hertz, let amplitude):
            supply = try ToneSupply(hertz: hertz, amplitude: amplitude, format: format)
        case .file(let path, let loops):
            supply = try FileSupply(path: path, loops: loops, format: format, mono: request.monoChannel)
        }
        return try SimulatedStream(supply, name: name, pace: pace, request: request, clock: environment.clock)
    }
}
