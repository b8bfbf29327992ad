import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioMemory

@testable import VoiceAudio
@testable import VoiceAudioMonitor

/// A report as a page for Prometheus.
@Suite(.timeLimit(.minutes(5))) struct MetricsPageTests {
    private func page(_ report: SystemReport) throws -> ParsedPage { try ParsedPage(metricsPage(report)) }

    @Test func namesFollowTheRules() throws {
        let page = try page(MonitoredProgram().report)
        // Before a part has anything, and where it is not there at all, the page must be in order, too.
        _ = try self.page(SystemReporter(temporaryDirectory: "/there/is/none").report())
        #expect(page.names.count > 70)
        for (name, family) in page.families {
            #expect(name.hasPrefix("voice_audio_") || name.hasPrefix("process_"), "\(name)")
            #expect((family.type == "counter") == name.hasSuffix("_total"), "\(name)")
            #expect(family.help.hasSuffix(".") && family.help.count < 120, "\(name): \(family.help)")
            for unit in ["milli", "kilo", "mebi", "percent", "_ms", "_mb", "_count", "_sum", "_info"] {
                #expect(!name.contains(unit), "\(name)")
            }
        }
    }

    @Test func valuesAreTheReports() throws {
        let report = try MonitoredProgram().report
        let page = try page(report)
        let process = report.process
        #expect(page["process_resident_memory_bytes"] == process.memory.residentBytes.map(Double.init))
        #expect(page["process_cpu_seconds_total"] == process.cpu.userSeconds + process.cpu.systemSeconds)
        #expect(page["process_open_fds"] == process.descriptors.open.map(Double.init))
        #expect(page["process_max_fds"] == process.descriptors.limit.map(Double.init))
        #expect(page["process_threads"] == process.threads.count.map(Double.init))
        #expect(page["process_start_time_seconds"] == process.startedSecondsSince1970)
        #expect(page["voice_audio_process_swapped_bytes"] == 11)
        #expect(page["voice_audio_disk_free_bytes", ["directory": "/"]] == report.disk?.freeBytes.map(Double.init))
        let role = report.threads[0].role.rawValue
        #expect(
            page["voice_audio_quarantined_threads", ["role": role]]
                == Double(report.threads.count { $0.role.rawValue == role && $0.isQuarantined }))
        #expect(page["voice_audio_threads", ["role": "capture"]] ?? 0 >= 3)

        let pressure = try #require(report.pressure)
        for level in MemoryPressureLevel.allCases {
            #expect(
                page["voice_audio_memory_pressure", ["level": level.rawValue]] == (level == pressure.level ? 1 : 0))
        }
        #expect(page["voice_audio_memory_limit_bytes"] == Double(pressure.limitBytes))
        #expect(page["voice_audio_memory_used_ratio"] == pressure.usedPercent / 100)
        #expect(page["voice_audio_memory_trend", ["direction": "rising"]] == 1)
        #expect(page["voice_audio_memory_trend", ["direction": "falling"]] == 0)
        #expect(page["voice_audio_memory_trend_bytes_per_second"] == 12)
        #expect(page["voice_audio_memory_critical_in_seconds"] == 13.5)

        for (labels, start) in [(["processor": "kitchen"], 100), (["registry": "calls", "session": "18"], 200)] {
            func value(_ name: String, _ further: [String: String] = [:]) -> Double? {
                page["voice_audio_capture_\(name)", labels.merging(further) { $1 }].map { $0 - Double(start) }
            }
            #expect(value("lost_frames_total", ["cause": "device"]) == 1)
            #expect(value("lost_frames_total", ["cause": "ring_evicted"]) == 2)
            #expect(value("lost_frames_total", ["cause": "ring_refused"]) == 3)
            #expect(value("lost_frames_total", ["cause": "cleaned_up"]) == 4)
            #expect(value("quarantined_threads") == 5)
            #expect(value("resident_bytes") == 6)
            #expect(value("buffer_bytes") == 7)
            #expect(value("buffer_chunks") == 8)
            #expect(page["voice_audio_capture_state", labels.merging(["state": "recording"]) { $1 }] == 1)
            #expect(page["voice_audio_capture_state", labels.merging(["state": "idle"]) { $1 }] == 0)
        }
        let usage = report.processors[0].memoryUsage
        let kitchen = ["processor": "kitchen"]
        #expect(page["voice_audio_capture_buffer_limit_bytes", kitchen] == Double(usage.memoryLimitBytes))
        #expect(page["voice_audio_capture_subscribers", kitchen] == 1)
        #expect(page["voice_audio_capture_level_peak_ratio", kitchen] == Double(report.processors[0].level.peak))

        let calls = ["registry": "calls"]
        #expect(page["voice_audio_registry_sessions", calls] == 2)
        #expect(page["voice_audio_registry_session_limit", calls] == 4)
        #expect(page["voice_audio_registry_begun_sessions_total", calls] == 2)
        #expect(page["voice_audio_registry_expired_sessions_total", calls] == 14)
        #expect(page["voice_audio_registry_refused_sessions_total", calls] == 15)
        #expect(page["voice_audio_registry_quarantined_threads", calls] == 16)
        let session = ["registry": "calls", "session": "18"]
        #expect(page["voice_audio_session_expires_in_seconds", session] == 2.25)
        #expect(
            page["voice_audio_session_used_bytes", session] == Double(report.registries[0].sessions[1].usedBytes))
        #expect(page["voice_audio_budget_limit_bytes", ["budget": "process"]] == Double(1 << 30))
        #expect(page["voice_audio_budget_limit_bytes", ["budget": "process/kitchen"]] == Double(1 << 29))
        #expect(page["voice_audio_collector_spilled_bytes", ["collector": "numbers"]] == 18)
        #expect(page["voice_audio_collector_damaged_results_total", ["collector": "numbers"]] == 20)
        #expect(page["voice_audio_tracker_bytes", ["tracker": "objects"]] == 10)
        #expect(page["voice_audio_tracker_released_objects_total", ["tracker": "objects"]] == 21)
        #expect(page["voice_audio_component_quarantined_threads", ["component": "engine"]] == 22)
        #expect(page["voice_audio_component_state", ["component": "engine", "state": "running"]] == 1)
    }

    @Test func aFailedCaptureIsFailedWhateverItsReason() throws {
        var report = try MonitoredProgram().report
        report.processors[0].state = "\(ProcessorState.failed(AudioError(.deviceLost, "gone \"for\" good")))"
        report.processors[0].memoryUsage.health = nil
        let page = try page(report)
        #expect(page["voice_audio_capture_state", ["processor": "kitchen", "state": "failed"]] == 1)
        let health = try #require(page.families["voice_audio_capture_health"]).samples
        #expect(health.filter { $0.labels["processor"] == "kitchen" }.map(\.value) == [0, 0, 0, 0, 0])
    }

    @Test func whatIsNotKnownIsNotThere() throws {
        var report = try MonitoredProgram().report
        report.process.memory.residentBytes = nil
        report.disk = nil
        report.pressure = MemoryPressureStatus()
        report.pressure?.failure = "there is no /proc"
        let page = try page(report)
        #expect(
            page.families["process_resident_memory_bytes"] == nil && page.families["voice_audio_disk_free_bytes"] == nil
        )
        #expect(page.families["voice_audio_memory_limit_bytes"] == nil)
        #expect(page["voice_audio_memory_pressure", ["level": "low"]] == 0)
        #expect(page["voice_audio_memory_sampling_failed"] == 1)
    }

    @Test func namesAreEscaped() throws {
        let names = ["a\"b", "a\\", "a\nb", "\\n", "{x=\"y\"} 1", "🎙 ü", "", " "]
        var report = try MonitoredProgram().report
        report.processors = names.map { name in
            var processor = report.processors[0]
            processor.name = name
            return processor
        }
        let samples = try #require(page(report).families["voice_audio_capture_channels"]).samples
        #expect(samples.compactMap { $0.labels["processor"] } == names)
        report.processors[0].name = "a\0b"
        let page = try page(report)
        #expect(page["voice_audio_capture_channels", ["processor": "a\u{2400}b"]] == 1)
    }

    /// Prometheus takes nothing of a page with a series twice: all would be blind because two parts have one name.
    @Test func partsOfOneNameAreNumbered() throws {
        var report = try MonitoredProgram().report
        let names = ["x", "x #2", "x", "y", "x", "a\0", "a\u{2400}"]
        report.processors = names.map { name in
            var processor = report.processors[0]
            processor.name = name
            return processor
        }
        report.registries += report.registries
        report.registries[0].sessions[1].name = "17"
        report.collectors += report.collectors
        report.trackers += report.trackers
        report.budgets += report.budgets
        report.components += report.components
        let page = try page(report)
        func words(_ family: String, _ label: String) throws -> [String?] {
            try #require(page.families[family]).samples.map { $0.labels[label] }
        }
        #expect(
            try words("voice_audio_capture_channels", "processor").prefix(7)
                == ["x", "x #2", "x #3", "y", "x #4", "a\u{2400}", "a\u{2400} #2"])
        #expect(try words("voice_audio_registry_sessions", "registry") == ["calls", "calls #2"])
        #expect(try words("voice_audio_session_age_seconds", "session") == ["17", "17 #2", "17", "18"])
        #expect(try words("voice_audio_collector_results", "collector") == ["numbers", "numbers #2"])
        #expect(try words("voice_audio_tracker_objects", "tracker") == ["objects", "objects #2"])
        #expect(
            try words("voice_audio_budget_used_bytes", "budget")
                == ["process", "process/kitchen", "process #2", "process/kitchen #2"])
        #expect(try words("voice_audio_component_starts_total", "component") == ["engine", "engine #2"])
    }

    @Test(arguments: [
        (0, "0"), (-0.0, "0"), (7, "7"), (-120, "-120"), (9_007_199_254_740_991, "9007199254740991"), (0.25, "0.25"),
        (1e300, "1e+300"), (5e-5, "5e-05"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
    ])
    func numbersAreWrittenAsPrometheusReadsThem(value: Double, text: String) {
        var page = MetricsPage(reserving: 0)
        page.add([.gauge("x", "X.") { $0 }], of: [Labelled(labels: [], part: value)])
        #expect(String(decoding: page.takeBytes(), as: UTF8.self) == "# HELP x X.\n# TYPE x gauge\nx \(text)\n")
    }
}
