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
    /// What a capture does when the device goes away.
    public let recovery: RecoveryPolicy
    private let calls: any ALSACalls
    private let roots: SystemRoots

    /// The name of the PCM that is what the user or the system chose.
    public static let defaultDevice = "default"

    /// - Parameters:
    ///   - device: A PCM's name; ``CaptureDevices/list()`` tells what there is.
    ///   - followsDefault: Whether to go on with another card when ``defaultDevice`` comes to mean that; the gap is
    ///     told. Without effect on other devices.
    ///   - recovery: What a capture does when the device goes away.
    public init(device: String, followsDefault: Bool = false, recovery: RecoveryPolicy = .standard) {
        self.init(device: device, followsDefault: followsDefault, recovery: recovery, calls: SystemALSACalls())
    }

    package init(
        device: String, followsDefault: Bool = false, recovery: RecoveryPolicy = .fail, calls: any ALSACalls,
        roots: SystemRoots = SystemRoots()
    ) {
        self.device = device
        self.followsDefault = followsDefault && device == Self.defaultDevice
        self.recovery = recovery
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
        let recovery = Recovery(policy: effectivePolicy, clock: environment.clock)
        var bound = BoundDevice(device)
        let makeWatch = { () throws(AudioError) in
            try DeviceWatch(calls: calls, roots: roots, clock: environment.clock)
        }
        return try RecoveringStream(
            recovery: recovery, environment: environment, dev: roots.dev, makeWatch: followsDefault ? makeWatch : nil
        ) { () throws(AudioError) in
            let stream = try openNow(bound, request, in: environment, recovery)
            bound.bind(toCard: calls.info(stream.handle)?.card, among: calls.cards(isBrief: true))
            return stream
        }
    }

    /// Who follows `default` gives the next one a second to be there.
    private var effectivePolicy: RecoveryPolicy {
        guard followsDefault, recovery == .fail else { return recovery }
        let pace = Duration.milliseconds(100)
        return .reconnect(budget: .seconds(1), backoff: RecoveryBackoff(first: pace, longest: pace))
    }

    private func openNow(
        _ bound: BoundDevice, _ request: CaptureRequest, in environment: CaptureEnvironment, _ recovery: Recovery
    ) throws(AudioError) -> ALSAStream {
        let messages = ALSAMessages()
        do throws(AudioError) {
            let present = try bound.present(among: calls.cards(isBrief: true))
            let stream = try ALSAStream(
                device: present, calls: calls, request: request, environment: environment, messages: messages,
                recovery: recovery)
            messages.log(to: environment.logSink, device: device, level: .info)
            return stream
        } catch {
            messages.end()
            // A device may be away for days: what ALSA says at each attempt is no news.
            let texts = messages.log(
                to: environment.logSink, device: device, level: recovery.machine.outage == nil ? .warning : .debug)
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
