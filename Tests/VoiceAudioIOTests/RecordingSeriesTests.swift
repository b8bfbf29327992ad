import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Recordings that go on in another file.
struct RecordingSeriesTests {
    let scratch = Scratch()

    private func newSeries(_ rotation: RecordingRotation, _ name: String = "a.wav") throws -> RecordingSeries {
        try RecordingSeries(path: scratch.file(name), format: .speech, rotation: rotation, minimumFreeBytes: 0)
    }

    /// All frames of all files, in the order of their names.
    private func frames(_ suffix: String = ".wav") throws -> [[UInt8]] {
        try scratch.names.filter { $0.hasSuffix(suffix) }.map {
            try SoundFileReader(path: scratch.file($0)).readAll(as: .s16)
        }
    }

    @Test(arguments: [1, 160, 777, 1000, 5000]) func filesAreCutToTheFrameWhateverAnAppendHolds(step: Int) throws {
        let bytes = sampleBytes(step < 100 ? 2500 : 8500, of: .speech)
        let series = try newSeries(.init(maximumDuration: .microseconds(62_500)))
        try withRawSpan(of: bytes) { bytes in
            var rest = bytes
            while rest.byteCount > 0 {
                try series.append(rest.extracting(first: step * 2))
                rest = rest.extracting(droppingFirst: min(rest.byteCount, step * 2))
            }
        }
        #expect(series.frameCount == bytes.count / 2)
        try series.finish()
        try series.finish()
        expectError(.invalidState) { try withRawSpan(of: bytes) { try series.append($0) } }
        let files = try frames()
        #expect(files.flatMap { $0 } == bytes)
        #expect(files.dropLast().allSatisfy { $0.count == 2000 })
        #expect(files.count == (bytes.count + 1999) / 2000)
        #expect(series.fileCount == files.count)
        #expect(scratch.names.first == "a-000001.wav")
        #expect(series.currentPath == scratch.file(scratch.names.last ?? ""))
    }

    @Test(arguments: recordingTypes) func noFileIsLargerThanTheLimit(type: RecordingFileType) throws {
        let bytes = sampleBytes(160_000, of: .speech)
        let series = try newSeries(.init(maximumByteCount: 60_000), "a." + type.suffix)
        try withRawSpan(of: bytes) { bytes in
            for start in stride(from: 0, to: bytes.byteCount, by: 2000) {
                try series.append(bytes.extracting(start..<min(bytes.byteCount, start + 2000)))
            }
        }
        try series.finish()
        let sizes = try scratch.names.map { try Data(contentsOf: URL(fileURLWithPath: scratch.file($0))).count }
        #expect(sizes.count == series.fileCount)
        #expect(sizes.allSatisfy { $0 <= 60_000 })
        // Nor much smaller than needed: an append, and what an encoder holds or might take.
        let slack = type == .opus() ? 40_000 : 14_000
        #expect(sizes.dropLast().allSatisfy { $0 > 60_000 - slack }, "\(sizes)")
        let files = try frames("." + type.suffix)
        #expect(files.map(\.count).reduce(0, +) == bytes.count)
        if type.isLossless { #expect(files.flatMap { $0 } == bytes) }
    }

    @Test func whatIsThereStays() throws {
        let old = Data("old".utf8)
        for name in ["a-000007.wav", "a-12.wav", "a-000009.flac", "b-000011.wav", "a-00001x.wav", "a.wav"] {
            try old.write(to: URL(fileURLWithPath: scratch.file(name)))
        }
        let before = scratch.names
        let bytes = sampleBytes(1600, of: .speech)
        let series = try newSeries(.init(maximumDuration: .milliseconds(100)))
        // Somebody takes the next name.
        try old.write(to: URL(fileURLWithPath: scratch.file("a-000009.wav")))
        for _ in 0..<2 { try withRawSpan(of: bytes) { try series.append($0) } }
        try series.finish()
        #expect(
            scratch.names == (before + ["a-000008.wav", "a-000009.wav", "a-000010.wav"]).sorted())
        for name in before + ["a-000009.wav"] {
            #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.file(name))) == old)
        }
        for name in ["a-000008.wav", "a-000010.wav"] {
            #expect(try SoundFileReader(path: scratch.file(name)).frameCount == 1600)
        }
    }

    @Test func onlyTheNewestAreKeptAlsoOfEarlierRuns() throws {
        try Data("kept".utf8).write(to: URL(fileURLWithPath: scratch.file("b-000001.wav")))
        let bytes = sampleBytes(1600, of: .speech)
        for run in 0..<2 {
            let series = try newSeries(
                .init(maximumDuration: .milliseconds(100), keptFileCount: 3))
            for _ in 0..<5 {
                try withRawSpan(of: bytes) { try series.append($0) }
                #expect(scratch.names.count <= 3 + 1)
            }
            try series.finish()
            let last = (run + 1) * 5
            #expect(scratch.names == (last - 2...last).map { String(format: "a-%06d.wav", $0) } + ["b-000001.wav"])
        }
    }

    @Test func aRotationThatIsNoneIsRefused() throws {
        for (rotation, told) in [
            (RecordingRotation(), "needs maximumDuration"), (.init(keptFileCount: 3), "needs maximumDuration"),
            (.init(maximumDuration: .zero), "maximumDuration"),
            (.init(maximumDuration: .seconds(-1)), "maximumDuration"),
            (.init(maximumDuration: .microseconds(62)), "maximumDuration"),
            (.init(maximumByteCount: 0), "maximumByteCount 0"),
            (.init(maximumByteCount: 1, keptFileCount: 0), "keptFileCount 0"),
        ] {
            let error = expectError(.invalidConfiguration) { _ = try newSeries(rotation) }
            #expect(error?.message.contains(told) == true, "\(error?.message ?? "")")
        }
        expectError(.invalidConfiguration) { _ = try newSeries(.init(maximumByteCount: 1), "a.mp3") }
        expectError(.notWritable) { _ = try newSeries(.init(maximumByteCount: 1), "none/a.wav") }
        #expect(scratch.names == [])
    }

    @Test func aPartOfAFrameIsRefusedAndDoesNoHarm() throws {
        let series = try newSeries(.init(maximumByteCount: 1))
        expectError(.invalidConfiguration) { try withRawSpan(of: [1, 2, 3]) { try series.append($0) } }
        // A limit that is smaller than an append: a file for each.
        for _ in 0..<3 { try withRawSpan(of: [1, 2, 3, 4]) { try series.append($0) } }
        try series.finish()
        #expect(try frames() == [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]])
    }
}
