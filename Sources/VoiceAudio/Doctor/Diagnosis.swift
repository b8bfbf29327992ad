public import VoiceAudioCore
public import VoiceAudioIO

/// Whether sound comes, and if not, why.
public struct Diagnosis: Sendable, Hashable, Codable {
    /// The device that was looked at; `nil` where the settings are not valid.
    public var device: String?
    /// What was found, in the order of ``Finding/Check``. A check that does not apply to the device is not in here.
    public var findings: [Finding]
    /// What the device was asked for and gave; `nil` where it could not be opened.
    public var capture: CaptureReport?
    /// How loud it was; `nil` where no frame came.
    public var level: AudioLevel?

    /// A diagnosis of the values given.
    public init(device: String?, findings: [Finding], capture: CaptureReport? = nil, level: AudioLevel? = nil) {
        self.device = device
        self.findings = findings
        self.capture = capture
        self.level = level
    }

    /// The first finding that keeps sound from coming; `nil` where sound comes.
    public var firstFailure: Finding? { findings.first { $0.outcome == .failure } }
}
