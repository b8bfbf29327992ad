import Glibc
import VoiceAudio
import VoiceAudioMonitor

/// One run of `voice-audio monitor`: a capture whose history rolls, and a server that tells of it.
struct MonitoredCapture {
    private let configuration: AudioConfiguration
    private let server: MonitorConfiguration

    init(_ configuration: AudioConfiguration, servedBy server: MonitorConfiguration) {
        self.configuration = configuration
        self.server = server
    }

    /// Serves until the source's end, Ctrl-C or SIGTERM, or for a time.
    ///
    /// - Throws: What opening the device or the port failed with, and later what the capture did.
    func run(for time: Duration?) throws(AudioError) {
        let interruption = try Interruption()
        let logSink = CollapsingLogSink(StandardErrorLogSink(for: configuration))
        // After all that logs has ended.
        defer { logSink.flush() }
        let pressure = try MemoryPressureMonitor(configuration: configuration, logSink: logSink)
        // Holds nothing back that the caps allow: it is there for its report.
        let budget = try MemoryBudget(
            name: "capture", percentOfAvailable: Double(configuration.pressureCriticalPercent), monitor: pressure)
        let processor = try AudioProcessor(
            configuration: configuration, logSink: logSink, budget: budget, monitor: pressure)
        defer { processor.cleanup() }
        let reporter = SystemReporter(monitor: pressure, temporaryDirectory: configuration.temporaryDirectory)
        reporter.add(processor, named: configuration.device)
        reporter.add(budget)
        var commentary = try Commentary(on: processor)
        try processor.arm()

        let monitor = MonitorServer(reporter, configuration: server, logSink: logSink)
        try monitor.start()
        defer { monitor.stop() }
        printError("monitoring \"\(configuration.device)\"; Ctrl-C ends it")
        print(monitor.url ?? "")
        // Somebody may wait for it before asking.
        fflush(nil)
        try wait(for: processor, saying: &commentary, until: interruption, for: time)
    }

    private func wait(
        for processor: AudioProcessor, saying commentary: inout Commentary, until interruption: Interruption,
        for time: Duration?
    ) throws(AudioError) {
        let clock = SystemClock()
        let deadline = time.map { clock.now.advanced(by: $0) }
        var descriptors = DescriptorSet(count: 2)
        descriptors.watch(interruption.descriptor, at: 0)
        descriptors.watch(commentary.descriptor, at: 1)
        while !interruption.isAsked {
            if let deadline, clock.now >= deadline { return }
            _ = clock.wait(for: descriptors, until: deadline)
            try commentary.speak()
            if commentary.isOver { break }
        }
        // The thread's end follows the health's.
        guard commentary.isOver, processor.waitForSourceEnd(timeout: configuration.stopTimeout) else { return }
        if case .failed(let error) = processor.state { throw error }
    }
}
