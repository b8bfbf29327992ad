import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

struct TemporaryWAVTests {
    let scratch = Scratch()

    private struct BodyError: Error, Equatable { var number: Int }

    /// What is in the directory, but for the private one.
    private var strayNames: [String] { scratch.names.filter { $0 != "voice-audio-\(geteuid())" } }

    /// What is in the private directory.
    private var namedFiles: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: scratch.file("voice-audio-\(geteuid())"))) ?? []
    }

    @Test(arguments: [false, true]) func theFileIsCompleteWhileTheBodyRuns(named: Bool) throws {
        let samples = (0..<16_000).map { Int16(truncatingIfNeeded: $0 &* 7919) }
        var path = ""
        var descriptor: Int32 = -1
        var file: String?
        let answer = try withTemporaryWAV(
            samples: samples, format: .speech, named: named, directory: scratch.path, minimumFreeBytes: 0
        ) { wav in
            path = wav.path
            descriptor = wav.descriptor
            file = identity(of: descriptor)
            #expect(wav.byteCount == 32_044)
            #expect(wav.format == .speech)
            let frames = try SoundFileReader(path: wav.path).readAll(as: .s16)
            #expect(frames == rawBytes(of: samples))
            // The descriptor is at the start, and other readers do not move it.
            var start = [UInt8](repeating: 0, count: 4)
            // SAFETY: the array has room for four bytes.
            #expect(unsafe read(wav.descriptor, &start, 4) == 4)
            #expect(start == Array("RIFF".utf8))
            #expect(fcntl(wav.descriptor, F_GETFD) & FD_CLOEXEC != 0)
            // Another program can open it.
            #expect(output(of: "stat", "-L", "-c", "%s", wav.path) == "32044\n")
            if output(of: "sox", "--version") != nil {
                #expect(output(of: "sox", "-t", "wav", wav.path, "-n", "stat") != nil)
                if named { #expect(output(of: "soxi", "-s", wav.path) == "16000\n") }
            } else {
                print("skipped: sox is not installed")
            }
            if named {
                #expect(wav.path.hasSuffix(".wav"))
                #expect(try mode(of: wav.path) == "600")
                #expect(try mode(of: scratch.file("voice-audio-\(geteuid())")) == "700")
            } else {
                #expect(wav.path == "/proc/\(getpid())/fd/\(wav.descriptor)")
                #expect(scratch.names == [], "a nameless file has a name")
                #expect(output(of: "stat", "-L", "-c", "%a %h", wav.path) == "600 0\n")
            }
            return 17
        }
        #expect(answer == 17)
        #expect(!named || !exists(path))
        #expect(strayNames == [] && namedFiles == [])
        // Closed: by now the number may stand for another file.
        #expect(file != nil && identity(of: descriptor) != file)
    }

    /// Inode and time of the last change: inodes are used again at once.
    private func identity(of descriptor: Int32) -> String? {
        var information = stat()
        // SAFETY: a local.
        guard unsafe fstat(descriptor, &information) == 0 else { return nil }
        return "\(information.st_ino) \(information.st_ctim.tv_sec).\(information.st_ctim.tv_nsec)"
    }

    @Test(arguments: [false, true]) func itIsGoneWhenTheBodyThrows(named: Bool) throws {
        var path = ""
        let error = #expect(throws: BodyError.self) {
            try withTemporaryWAV(
                samples: [Float](repeating: 0, count: 10),
                format: AudioFormat(sampleRateHz: 8000, channelCount: 2, sampleFormat: .f32), named: named,
                directory: scratch.path, minimumFreeBytes: 0
            ) { wav in
                path = wav.path
                throw BodyError(number: 3)
            }
        }
        #expect(error == BodyError(number: 3))
        #expect(path != "" && (!named || !exists(path)))
        #expect(strayNames == [] && namedFiles == [])
    }

    @Test(arguments: [false, true]) func itIsGoneWhenTheBodyIsCancelled(named: Bool) async throws {
        let directory = scratch.path
        let (paths, pathsEnd) = AsyncStream.makeStream(of: String.self)
        let task = Task {
            try await withTemporaryWAV(
                samples: [Int16](repeating: 1, count: 100), format: .speech, named: named, directory: directory,
                minimumFreeBytes: 0
            ) { wav in
                pathsEnd.yield(wav.path)
                try await Task.sleep(for: .seconds(600))
            }
        }
        var iterator = paths.makeAsyncIterator()
        let path = try #require(await iterator.next())
        #expect(exists(path))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(!named || !exists(path))
        #expect(strayNames == [] && namedFiles == [])
    }

    @Test func theBytesOfAWAVFileAreKeptAsTheyAre() throws {
        let path = scratch.file("a.wav")
        try withNewFile(path) { descriptor in
            let writer = try WAVWriter(descriptor: descriptor, name: path, format: .speech)
            try withRawSpan(of: sampleBytes(50, of: .speech)) { try writer.write($0) }
            try writer.finish()
        }
        let file = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        try withTemporaryWAV(wavBytes: file, directory: scratch.path, minimumFreeBytes: 0) { wav in
            #expect(wav.format == .speech)
            #expect(wav.byteCount == file.count)
            let contents = try Data(contentsOf: URL(fileURLWithPath: wav.path))
            #expect([UInt8](contents) == file)
        }
        guard output(of: "sox", path, "-e", "u-law", scratch.file("u.wav")) != nil else {
            return print("skipped: sox is not installed")
        }
        let law = [UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.file("u.wav"))))
        try withTemporaryWAV(wavBytes: law, directory: scratch.path, minimumFreeBytes: 0) { wav in
            #expect(wav.format == nil)
        }
    }

    @Test func whatIsNoWAVFileIsRefusedBeforeAnythingIsWritten() throws {
        for bytes in [[], Array("no sound".utf8), PackageResources.speech_flac] {
            expectError(.unreadableFile) {
                try withTemporaryWAV(wavBytes: bytes, directory: scratch.path, minimumFreeBytes: 0) { _ in }
            }
        }
    }

    @Test func samplesOfAnotherTypeAreRefused() throws {
        let f32 = AudioFormat(sampleRateHz: 8000, channelCount: 1, sampleFormat: .f32)
        func attempt<Sample: BitwiseCopyable>(_ samples: [Sample], _ format: AudioFormat) throws {
            let path = scratch.path
            try withTemporaryWAV(samples: samples, format: format, directory: path, minimumFreeBytes: 0) { _ in }
        }
        expectError(.invalidConfiguration) { try attempt([Float(1)], .speech) }
        expectError(.invalidConfiguration) { try attempt([Int32(1)], f32) }
        expectError(.invalidConfiguration) { try attempt([UInt8(1)], .speech) }
        try attempt([UInt8(1), 2], .speech)
        try attempt([Float(1)], f32)
    }

    @Test func aPlaceThatCannotTakeItIsTold() throws {
        func attempt(named: Bool, _ directory: String, minimumFreeBytes: Int = 0) throws {
            try withTemporaryWAV(
                samples: [Int16(1)], format: .speech, named: named, directory: directory,
                minimumFreeBytes: minimumFreeBytes
            ) { _ in }
        }
        try withNewFile(scratch.file("file")) { _ in }
        for named in [false, true] {
            let missing = expectError(.notWritable) { try attempt(named: named, scratch.file("none")) }
            #expect(missing?.message.contains("none") == true)
            #expect(missing?.message.contains("VOICE_AUDIO_TEMP_DIR") == true)
            expectError(.notWritable) { try attempt(named: named, scratch.file("file")) }
            expectError(.notWritable) { try attempt(named: named, "/proc") }
            let full = expectError(.diskFull) { try attempt(named: named, scratch.path, minimumFreeBytes: 1 << 60) }
            #expect(full?.message.contains("\(1 << 60)") == true)
            #expect(full?.message.contains(scratch.path) == true)
        }
    }

    @Test(arguments: [false, true]) func aFullDiskIsTold(named: Bool) throws {
        guard let disk = SmallDisk(kilobytes: 256) else { return }
        let samples = [Int16](repeating: 5, count: 200_000)
        // The free space is looked at first, so the write that runs out of it is asked for in pieces.
        let place = TemporaryPlace(named: named, directory: disk.path, minimumFreeBytes: 0)
        expectError(.diskFull) {
            _ = try TemporaryWAV(format: .speech, in: place, byteCount: 0) { writer throws(AudioError) in
                // SAFETY: plain values.
                try writer.write(unsafe samples.span.bytes)
            }
        }
        let error = expectError(.diskFull) {
            try withTemporaryWAV(
                samples: samples, format: .speech, named: named, directory: disk.path, minimumFreeBytes: 0
            ) { _ in }
        }
        #expect(error?.message.contains("400000") == true)
        let privateDirectory = disk.path + "/voice-audio-\(geteuid())"
        #expect((try? FileManager.default.contentsOfDirectory(atPath: privateDirectory)) ?? [] == [])
    }

    @Test func eightThreadsNeverCollide() async throws {
        let directory = scratch.path
        try await withThrowingTaskGroup(of: Set<String>.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    var paths: Set<String> = []
                    for round in 0..<50 {
                        let samples = (0..<200).map { Int16($0 + thread * 1000 + round) }
                        try withTemporaryWAV(
                            samples: samples, format: .speech, named: round % 2 == 0, directory: directory,
                            minimumFreeBytes: 0
                        ) { wav in
                            let read = try SoundFileReader(path: wav.path).readAll(as: .s16)
                            #expect(read == rawBytes(of: samples))
                            if round % 2 == 0 { paths.insert(wav.path) }
                        }
                    }
                    return paths
                }
            }
            var all: Set<String> = []
            for try await paths in group { all.formUnion(paths) }
            #expect(all.count == 8 * 25, "two files had one name")
        }
        #expect(strayNames == [] && namedFiles == [])
    }
}
