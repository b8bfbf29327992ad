import VoiceAudioIO

/// Where an ``AudioProcessor`` captures from, and how.
struct CaptureSetup: Sendable {
    private(set) var configuration: AudioConfiguration
    private(set) var source: any CaptureSource
    /// Whether the source is the program's own, and not the one that the configuration names.
    private var isSourceGiven: Bool
    /// Another for each source in this one's place.
    private var sourceNumber = 0

    /// A setup whose source the configuration names.
    ///
    /// - Throws: `invalidConfiguration`.
    init(_ configuration: AudioConfiguration) throws(AudioError) {
        try configuration.validate()
        self.configuration = configuration
        source = try configuration.makeSource()
        isSourceGiven = false
    }

    /// A setup with a source of the program's own, whose format is taken where the configuration sets none.
    init(_ configuration: AudioConfiguration, source: any CaptureSource) {
        self.configuration = configuration.fitting(source)
        self.source = source
        isSourceGiven = true
    }

    /// The same with other settings, which may name another source.
    ///
    /// - Throws: `invalidConfiguration`.
    func with(_ configuration: AudioConfiguration) throws(AudioError) -> CaptureSetup {
        try configuration.validate()
        var setup = self
        setup.configuration = configuration
        let old = self.configuration
        guard !isSourceGiven,
            configuration.device != old.device || configuration.recovery != old.recovery
                || configuration.followsDefaultDevice != old.followsDefaultDevice
        else { return setup }
        setup.source = try configuration.makeSource()
        setup.sourceNumber += 1
        return setup
    }

    /// The same with other settings, and another source of the program's own.
    ///
    /// - Throws: `invalidConfiguration`.
    func with(_ configuration: AudioConfiguration, source: any CaptureSource) throws(AudioError) -> CaptureSetup {
        try configuration.validate()
        var setup = CaptureSetup(configuration, source: source)
        setup.sourceNumber = sourceNumber + 1
        return setup
    }

    /// What is asked of the source.
    var request: CaptureRequest {
        CaptureRequest(
            format: configuration.format, chunkFrameCount: configuration.chunkFrameCount,
            monoChannel: configuration.monoChannel)
    }

    /// Whether what another setup captures from is not good for this one.
    func needsOtherCapture(than other: CaptureSetup) -> Bool {
        sourceNumber != other.sourceNumber || request != other.request
            || configuration.realtimePriority != other.configuration.realtimePriority
    }

    /// Whether another setup's history is not good for this one.
    func needsOtherHistory(than other: CaptureSetup) -> Bool {
        let (mine, others) = (configuration, other.configuration)
        return mine.maxChunks != others.maxChunks || mine.maxBytes != others.maxBytes
            || mine.overflow != others.overflow || mine.format != others.format
            || mine.chunkByteCount != others.chunkByteCount
    }
}
