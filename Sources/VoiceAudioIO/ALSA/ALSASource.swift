import Glibc
public import VoiceAudioCore

/// Captures from an ALSA PCM: a sound card, or a plugin such as PulseAudio's.
///
/// Rate, channels and format are delivered exactly as asked for, or opening fails and says what the device can do.
/// Where the device's buffer runs over, capture goes on, and the loss is reported.
public struct ALSASource: CaptureSource {
    /// The PCM's name: `default`, `hw:CARD=Mic`, `plughw:1,0`; or a card's identity, which is looked up anew at each open:
    /// `usb:0d8c:0014,serial=A1`, `pci:0000:00:1f.3`.
    public let device: String
    /// Whether a capture from `default` goes on with another card when `default` comes to mean that.
    public let followsDefault: Bool
    private let calls: any ALSACalls
    private let roots: SystemRoots

    /// The name of the PCM that is what the user or the system chose.
    public static let defaultDevice = "default"

    /// - Parameters:
    ///   - device: A PCM's name; ``CaptureDevices/list()`` tells what there is.
    ///   - followsDefault: Whether to go on with another card when ``defaultDevice`` comes to mean that; the gap is
    ///     told. Without effect on other devices.
    public init(device: String, followsDefault: Bool = false) {
        self.init(device: device, followsDefault: followsDefault, calls: SystemALSACalls())
    }

    package init(
        device: String, followsDefault: Bool = false, calls: any ALSACalls, roots: SystemRoots = SystemRoots()
    ) {
        self.device = device
        self.followsDefault = followsDefault && device == Self.defaultDevice
        self.calls = calls
        self.roots = roots
    }

    public var name: String { device }

    /// Whether `device` may be a device's name; what ALSA's own names look like, ALSA decides.
    package static func isWellFormed(_ device: String) -> Bool {
        device.utf8.count <= longestName && (!CardName.isOne(device) || CardName(parsing: device) != nil)
    }

    /// Bytes of a name. At longer ones alsa-lib may abort the process: an argument's own name has 256 bytes in it.
    private static let longestName = 255

    /// Opens the PCM and negotiates.
    ///
    /// What ALSA has to say meanwhile goes to the environment's log, not to stderr.
    ///
    /// - Throws: `noSuchDevice`, `busy`, `permissionDenied`, `unsupportedFormat`, `deviceFailed` or `outOfResources`;
    ///   `invalidConfiguration` where the name means several cards, or is longer than 255 bytes.
    public func open(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream {
        guard device.utf8.count <= Self.longestName else {
            throw AudioError(
                .invalidConfiguration,
                "the device \"\(device)\" has a name of \(device.utf8.count) bytes: accepted are \(Self.longestName)")
        }
        guard followsDefault else { return try openNow(request, in: environment) }
        let watch = try DeviceWatch(calls: calls, roots: roots, clock: environment.clock)
        return try FollowingStream(watch: watch, environment: environment) { () throws(AudioError) in
            try openNow(request, in: environment)
        }
    }

    private func openNow(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream {
        let messages = ALSAMessages()
        do throws(AudioError) {
            let device = try CardName.resolve(device, calls.cards())
            let stream = try ALSAStream(
                device: device, calls: calls, request: request, environment: environment, messages: messages)
            messages.log(to: environment.logSink, device: device, level: .info)
            return stream
        } catch {
            messages.end()
            let texts = messages.log(to: environment.logSink, device: device, level: .warning)
            // What is wrong in a configuration file, or with a plugin's, ALSA tells better than the status does.
            guard error.status == EINVAL || error.status == ENXIO, let text = texts.first else { throw error }
            throw AudioError(error.code, "\(error.message). ALSA says: \(text)", status: error.status)
        }
    }
}

extension ALSAMessages {
    /// Logs what was collected, forgets it, and hands it back.
    @discardableResult
    func log(to sink: any AudioLogSink, device: String, level: AudioLogLevel) -> [String] {
        let (count, texts) = take()
        for text in texts {
            sink.log(level: level, message: text, metadata: ["device": device], source: "alsa-lib")
        }
        guard count > texts.count else { return texts }
        sink.log(
            level: level, message: "\(count - texts.count) more messages of ALSA's", metadata: ["device": device],
            source: "alsa-lib")
        return texts
    }
}
