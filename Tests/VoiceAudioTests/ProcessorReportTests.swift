import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// Levels, the mono mix, the memory report and the log.
@Suite(.timeLimit(.minutes(5))) struct ProcessorReportTests {
    /// Gives the same bytes again and again, as fast as they are asked for, `frameCount` frames in all.
    private struct PatternSource: CaptureSource {
        var pattern: [UInt8]
        var frameCount: Int
        var name: String { "pattern" }

        final class Stream: CaptureStream {
            let report: CaptureReport
            let source: PatternSource
            var position = 0

            init(_ source: PatternSource, _ request: CaptureRequest) {
                self.source = source
                report = CaptureReport(
                    source: source.name, format: request.format, requestedPeriodFrames: request.chunkFrameCount,
                    periodFrames: request.chunkFrameCount, bufferFrames: 0)
            }

            func start() throws(AudioError) {}
            func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {}
            func close() {}

            func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead {
                let frameBytes = report.format.bytesPerFrame
                let count = min(buffer.byteCount / frameBytes, source.frameCount - position)
                guard count > 0 else { return .ended }
                for byte in 0..<count * frameBytes {
                    buffer.storeBytes(
                        of: source.pattern[(position * frameBytes + byte) % source.pattern.count],
                        toByteOffset: byte, as: UInt8.self)
                }
                position += count
                return .frames(count, captureTime: SystemClock().now)
            }
        }

        func open(
            _ request: CaptureRequest, in environment: CaptureEnvironment
        ) throws(AudioError) -> any CaptureStream { Stream(self, request) }
    }

    private func record(
        _ pattern: [UInt8], _ format: SampleFormat, channels: Int = 1, frames: Int = 1000
    ) throws -> (recording: Recording, level: AudioLevel) {
        var configuration = AudioConfiguration()
        configuration.sampleFormat = format
        configuration.channelCount = channels
        configuration.chunkFrameCount = 100
        configuration.minimumFreeDiskBytes = 0
        let processor = AudioProcessor(
            source: PatternSource(pattern: pattern, frameCount: frames), configuration: configuration)
        try processor.start()
        #expect(processor.waitForSourceEnd(timeout: .seconds(60)))
        let level = processor.level
        return (try processor.stop(), level)
    }

    private static func bytes<Value: BitwiseCopyable>(_ values: [Value]) -> [UInt8] {
        // SAFETY: plain values.
        unsafe values.withUnsafeBytes { unsafe Array($0) }
    }

    private static let min24: [UInt8] = [0, 0, 0x80]
    private static let half24: [UInt8] = [0, 0, 0x40]

    /// A signal, its RMS and its peak in dBFS.
    static let signals: [(SampleFormat, [UInt8], Float, Float)] = [
        (.s16, bytes([Int16.min, .min]), 0, 0),
        (.s16, bytes([Int16.max, -.max]), 0, 0),
        (.s16, bytes([Int16(16384), -16384]), -6.0206, -6.0206),
        (.s16, bytes([Int16(16384), 0]), -9.0309, -6.0206),
        (.s16, bytes([Int16(0)]), -.infinity, -.infinity),
        (.s24, min24 + min24, 0, 0),
        (.s24, half24 + [0, 0, 0xC0], -6.0206, -6.0206),
        (.s32, bytes([Int32.min, .max]), 0, 0),
        (.s32, bytes([Int32(1 << 30), -(1 << 30)]), -6.0206, -6.0206),
        (.f32, bytes([Float(1), -1]), 0, 0),
        (.f32, bytes([Float(0.5), -0.5]), -6.0206, -6.0206),
        (.f32, bytes([Float(2), -2]), 6.0206, 6.0206),
        (.f32, bytes([Float.nan, 0.5]), -9.0309, -6.0206),
    ]

    @Test(arguments: signals.indices) func levelsOfKnownSignals(_ index: Int) throws {
        let (format, pattern, rms, peak) = Self.signals[index]
        let (recording, level) = try record(pattern, format)
        for level in [recording.level, level] {
            #expect(level.rmsDBFS == rms || abs(level.rmsDBFS - rms) < 0.001, "\(format): \(level.rmsDBFS)")
            #expect(level.peakDBFS == peak || abs(level.peakDBFS - peak) < 0.001, "\(format): \(level.peakDBFS)")
        }
    }

    /// Stereo frames, and their mean in the same format.
    static let mixes: [(SampleFormat, [UInt8], [UInt8])] = [
        (.s16, bytes([Int16.max, .max, .min, .min, 100, -301]), bytes([Int16.max, .min, -100])),
        (.s24, min24 + min24 + [1, 0, 0, 3, 0, 0] + half24 + [0, 0, 0xC0], min24 + [2, 0, 0] + [0, 0, 0]),
        (.s32, bytes([Int32.max, .max, .min, .min, 7, 10]), bytes([Int32.max, .min, 8])),
        (.f32, bytes([Float(1), 1, -1, -0.5, 0.25, 0]), bytes([Float(1), -0.75, 0.125])),
    ]

    @Test(arguments: mixes.indices) func monoMixInEachFormat(_ index: Int) throws {
        let (format, pattern, mean) = Self.mixes[index]
        // More than a block of the mix, and not whole blocks.
        let frames = 10_002
        let (recording, _) = try record(pattern, format, channels: 2, frames: frames)
        #expect(recording.frameCount == frames)
        try recording.withTemporaryWAV(mixToMono: true) { wav in
            let file = try Data(contentsOf: URL(fileURLWithPath: wav.path))
            let samples = [UInt8](file.suffix(frames * format.bytesPerSample))
            let expected = (0..<samples.count).map { mean[$0 % mean.count] }
            #expect(samples == expected)
        }
    }

    @Test func theMemoryReportHasTheKeysThatReadersKnow() throws {
        let source = ScriptedSource()
        let processor = AudioProcessor(
            source: source, configuration: .scripted(maxChunks: 4, channels: 2), clock: ManualClock())
        let listener = try processor.subscribe(chunks: 2)
        try processor.start()
        source.push(.frames(600))
        #expect(source.waitUntilTaken())
        let usage = processor.memoryUsage
        let json = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(usage)) as? [String: Any])
        let expected: [String: Double] = [
            "buffer_size": 4, "max_buffer_size": 4, "buffer_usage_percent": 100, "memory_usage_bytes": 3200,
            "memory_limit_bytes": 104_857_600, "memory_usage_percent": 100 * 3200 / 104_857_600, "chunk_size": 100,
            "sample_rate": 1000, "channels": 2, "peak_buffer_size": 4, "peak_memory_usage_bytes": 3200,
            "quarantined_threads": 0,
        ]
        for (key, value) in expected { #expect(json[key] as? Double == value, "\(key): \(json[key] ?? "missing")") }
        #expect(
            Set(json.keys)
                == Set(expected.keys).union([
                    "allocated_bytes", "allocation_limit_bytes", "resident_bytes", "drops", "subscribers",
                    "process_rss_bytes", "health",
                ]))
        #expect(json["health"] as? String == "flowing")
        let drops = try #require(json["drops"] as? [String: Any])
        #expect(Set(drops.keys) == ["ring_evicted", "ring_refused", "cleaned_up", "device_frames"])
        #expect(drops["ring_evicted"] as? [String: Int] == ["chunks": 2, "frames": 200, "bytes": 1600])
        let subscriber = try #require((json["subscribers"] as? [[String: Any]])?.first)
        #expect(subscriber["buffer_size"] as? Int == 2)
        #expect(subscriber["dropped"] as? [String: Int] == ["chunks": 4, "frames": 400, "bytes": 3200])
        #expect(usage.allocatedBytes > 0)
        #expect(usage.allocatedBytes <= usage.allocationLimitBytes)
        #expect(usage.residentBytes > 0)
        #expect(usage.residentBytes <= usage.allocatedBytes)
        #expect(usage.processRSSBytes > 1 << 20)
        #expect(try JSONDecoder().decode(MemoryUsage.self, from: JSONEncoder().encode(usage)) == usage)
        _ = listener

        _ = try processor.stop()
        let after = processor.memoryUsage
        #expect(after.bufferSize == 0)
        #expect(after.allocatedBytes == 0)
        #expect(after.peakBufferSize == 4)
        #expect(after.drops.ringEvicted.frames == 200, "an earlier ring's drops are forgotten")
        #expect(after.subscribers.isEmpty)
    }

    @Test func lossesOfEarlierCapturesStayInTheMemoryReport() throws {
        let source = ScriptedSource()
        let processor = AudioProcessor(source: source, configuration: .scripted())
        for round in 1...3 {
            source.push(.lost(AudioLoss(frames: 10, cause: .deviceOverrun)))
            try processor.start()
            #expect(source.waitUntilTaken())
            #expect(processor.statistics.framesLost == 10)
            #expect(processor.memoryUsage.drops.device == 10 * round)
            _ = try processor.stop()
            #expect(processor.statistics.framesLost == 10)
            #expect(processor.memoryUsage.drops.device == 10 * round)
        }
    }

    /// Keeps lines and the names of the threads that they came from.
    private final class Lines: AudioLogSink {
        let lines = Lock<[(level: AudioLogLevel, message: String, thread: String)]>([])

        func log(
            level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
            source: @autoclosure () -> String
        ) {
            let thread = (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? "?"
            let line = (level, message() + " \(metadata())", thread)
            lines.withLock { $0.append(line) }
        }
    }

    @Test func theLogGetsLinesAndNeverFromTheCaptureThread() throws {
        let sink = Lines()
        let source = ScriptedSource()
        let processor = AudioProcessor(source: source, configuration: .scripted(maxChunks: 1), logSink: sink)
        source.failToOpen(with: AudioError(.busy, "taken by another"))
        #expect(throws: AudioError.self) { try processor.arm() }
        source.failToOpen(with: nil)
        source.push(.frames(500), .lost(AudioLoss(frames: 10, cause: .deviceOverrun)))
        try processor.start()
        #expect(source.waitUntilTaken())
        processor.forceCleanupBuffers()
        source.push(.hang)
        #expect(source.waitUntilHanging())
        processor.cleanup(deadline: .milliseconds(10))
        source.letGo()
        #expect(source.waitUntilClosed())
        let lines = sink.lines.withLock { $0 }
        #expect(lines.contains { $0.level == .error && $0.message.contains("taken by another") })
        #expect(lines.contains { $0.level == .info && $0.message.hasPrefix("capturing from \"scripted\"") })
        #expect(lines.contains { $0.level == .notice && $0.message.hasPrefix("buffers cleaned up") })
        #expect(lines.contains { $0.level == .error && $0.message.contains("left to itself") })
        #expect(!lines.contains { $0.thread.hasPrefix("va-capture") })
    }

    @Test func lessSevereLinesAreDropped() throws {
        let sink = Lines()
        var configuration = AudioConfiguration.scripted()
        configuration.logLevel = .error
        let processor = AudioProcessor(source: ScriptedSource(), configuration: configuration, logSink: sink)
        try processor.arm()
        processor.cleanup()
        #expect(sink.lines.withLock { $0.isEmpty })
    }
}
