public import VoiceAudioCore
package import VoiceAudioIO

/// Tells why there is no sound.
///
/// ```swift
/// let diagnosis = AudioDoctor(configuration: try AudioConfiguration(environment: .process)).examine()
/// for finding in diagnosis.findings { print(finding.message, finding.remedies.compactMap(\.command)) }
/// ```
///
/// It looks at the system and the mixer, changes nothing, and captures for a moment as an ``AudioProcessor`` would.
public struct AudioDoctor: Sendable {
    private let configuration: Result<AudioConfiguration, AudioError>
    private let source: (any CaptureSource)?
    private let calls: any DiagnosisCalls
    private let roots: SystemRoots
    private let clock: any AudioClock

    /// - Parameter configuration: The settings to capture with; what making them throws becomes a finding.
    public init(configuration: @autoclosure () throws(AudioError) -> AudioConfiguration) {
        self.init(configuration: try configuration(), source: nil, calls: SystemALSACalls())
    }

    /// - Parameter source: To listen to, instead of the device that the configuration names.
    package init(
        configuration: @autoclosure () throws(AudioError) -> AudioConfiguration, source: (any CaptureSource)?,
        calls: any DiagnosisCalls, roots: SystemRoots = SystemRoots(), clock: any AudioClock = SystemClock()
    ) {
        do throws(AudioError) {
            let configuration = try configuration()
            try configuration.validate()
            self.configuration = .success(configuration)
        } catch {
            self.configuration = .failure(error)
        }
        self.source = source
        self.calls = calls
        self.roots = roots
        self.clock = clock
    }

    /// Looks at everything, and listens.
    ///
    /// Blocks for about as long as it listens; up to five seconds longer where the device does not open, and two where
    /// it does not close.
    ///
    /// - Parameter duration: How long to listen; the longer, the surer a quiet room is told from a dead microphone.
    /// - Returns: What was found; it never fails itself.
    ///
    /// > Concurrency: Safe from any thread. The device must not be captured from by this process meanwhile, unless it can
    /// > be shared.
    ///
    /// > Real-time: Not safe: reads files, and blocks.
    public func examine(listeningFor duration: Duration = .seconds(2)) -> Diagnosis {
        let configuration: AudioConfiguration
        let source: any CaptureSource
        do throws(AudioError) {
            configuration = try self.configuration.get()
            if let given = self.source { source = given } else { source = try configuration.makeSource() }
        } catch {
            return Diagnosis(refusing: error)
        }
        let needsNoCard = configuration.device.hasPrefix("sim:") || DescriptorSource.isName(configuration.device)
        let system = SoundSystem(device: needsNoCard ? nil : configuration.device, calls: calls, roots: roots)
        let listening = Listening(to: source, configuration: configuration, for: duration, clock: clock)
        let examination = Examination(
            configuration: configuration, system: system, listening: listening,
            mixer: mixer(of: system.route, listening),
            diskProblems: DiskProblems.find(
                temporaryDirectory: configuration.temporaryDirectory,
                minimumFreeBytes: configuration.minimumFreeDiskBytes))
        return Diagnosis(
            device: configuration.device, findings: examination.findings, capture: listening.report,
            level: listening.meter.level)
    }

    /// A sound server that did not answer is not asked again.
    private func mixer(of route: CaptureRoute, _ listening: Listening) -> Examination.Mixer? {
        guard let control = route.control, !route.isServer || listening.report != nil else { return nil }
        let messages = ALSAMessages()
        defer { messages.end() }
        let (status, elements) = calls.mixerElements(ofControl: control)
        return Examination.Mixer(control: control, status: status, elements: elements)
    }
}

extension Diagnosis {
    /// Where the settings are not valid: nothing else can be looked at.
    init(refusing error: AudioError) {
        let refusal = Finding(
            .settings, .failure, error.message,
            remedies: [.init("voice-audio config --help", note: "lists the settings, and what each accepts")],
            errorCode: error.code)
        let others = Finding.Check.allCases.filter { $0 != .settings }
        self.init(
            device: nil,
            findings: [refusal] + others.map { Finding($0, .skipped, "the settings are not valid") })
    }
}
