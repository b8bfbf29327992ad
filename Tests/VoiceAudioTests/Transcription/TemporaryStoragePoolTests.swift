import CLinux
import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudio
@testable import VoiceAudioIO

struct TemporaryStoragePoolTests {
    private func content(_ sample: Int16, count: Int = 100) throws -> WAVContent {
        try WAVContent(samples: [Int16](repeating: sample, count: count), format: .speech)
    }

    private func pool(maxIdleFiles: Int = 4, maxIdleBytes: Int = 1 << 20) throws -> TemporaryStoragePool {
        try TemporaryStoragePool(maxIdleFiles: maxIdleFiles, maxIdleBytes: maxIdleBytes, minimumFreeBytes: 0)
    }

    /// What a WAV in the pool holds as another program sees it, and the file's number.
    private func write(_ content: WAVContent, in pool: TemporaryStoragePool) async throws -> (bytes: Data, file: UInt?)
    {
        try await content.withTemporaryWAV(in: pool) { wav in
            let bytes = try Data(contentsOf: URL(fileURLWithPath: wav.path))
            #expect(bytes.count == wav.byteCount)
            return (bytes, KernelFiles.fileNumber(wav.path))
        }
    }

    /// A file was not kept, as a child of another test still had it: one that has not begun its program yet.
    private struct NotKept: Error {}

    private func expectIdle(_ count: Int, _ byteCount: Int, in pool: TemporaryStoragePool) throws {
        guard pool.idleFiles.count >= count else { throw NotKept() }
        #expect(pool.idleFiles == (count, byteCount))
    }

    /// Takes the steps, from the first one again where a file was not kept.
    private func untilKept(_ steps: () async throws -> Void) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            do { return try await steps() } catch is NotKept { await Task.yield() }
        }
        Issue.record("a file was never kept")
    }

    @Test func aFileIsUsedAgainAndHoldsNothingOfTheLast() async throws {
        try await untilKept { try await useAgain() }
    }

    private func useAgain() async throws {
        let pool = try pool()
        let long = try await write(content(1, count: 1000), in: pool)
        try expectIdle(1, 2044, in: pool)
        let short = try await write(content(2), in: pool)
        #expect(short.file == long.file)
        #expect(short.bytes.count == 244 && short.bytes.dropFirst(44) == Data((0..<100).flatMap { _ in [2, 0] }))
        try expectIdle(1, 244, in: pool)
        // The bytes of a file go the same way.
        let again = try await write(WAVContent(wavBytes: [UInt8](long.bytes)), in: pool)
        #expect(again.bytes == long.bytes && again.file == long.file)
        try expectIdle(1, 2044, in: pool)
        let bytes = [UInt8](long.bytes)
        #expect(try await pool.withTemporaryWAV(wavBytes: bytes) { KernelFiles.fileNumber($0.path) } == long.file)
        try expectIdle(1, 2044, in: pool)
        let samples: [Int16] = [1, 2, 3]
        #expect(try await pool.withTemporaryWAV(samples: samples, format: .speech) { $0.byteCount } == 50)
        try expectIdle(1, 50, in: pool)
        #expect(pool.removeIdleFiles() == 50)
        #expect(pool.idleFiles == (0, 0))
    }

    /// A reader that stays behind keeps its file, whether it opened the path, copied the descriptor or mapped it.
    @Test(arguments: ["opened", "copied", "mapped"]) func aFileThatSomeoneStillHasIsNotUsedAgain(way: String)
        async throws
    {
        let pool = try pool()
        let (firstSample, first) = try await content(1).withTemporaryWAV(in: pool) { wav in
            (try keep(wav, way), KernelFiles.fileNumber(wav.path))
        }
        #expect(pool.idleFiles == (0, 0))
        let second = try await write(content(2), in: pool)
        #expect(second.file != first)
        #expect(try firstSample() == 1)
    }

    /// Keeps hold of a file, and answers what reads its first sample.
    private func keep(_ wav: borrowing TemporaryWAV, _ way: String) throws -> () throws -> UInt8? {
        let url = URL(fileURLWithPath: wav.path)
        if way == "mapped" {
            let mapping = try Data(contentsOf: url, options: .alwaysMapped)
            return { mapping[44] }
        }
        let copy = clinux_fcntl_int(wav.descriptor, F_DUPFD_CLOEXEC, 0)
        let handle = FileHandle(fileDescriptor: copy, closeOnDealloc: true)
        let kept = way == "copied" ? handle : try FileHandle(forReadingFrom: url)
        return {
            try kept.seek(toOffset: 44)
            return try kept.read(upToCount: 1)?.first
        }
    }

    @Test func whatWaitsIsBounded() async throws {
        try await untilKept {
            let files = try pool(maxIdleFiles: 2)
            try await content(1).withTemporaryWAV(in: files) { _ in
                try await content(2).withTemporaryWAV(in: files) { _ in
                    try await content(3).withTemporaryWAV(in: files) { wav in #expect(wav.byteCount == 244) }
                }
            }
            try expectIdle(2, 488, in: files)
        }
        let bytes = try pool(maxIdleBytes: 300)
        _ = try await write(content(1, count: 200), in: bytes)
        #expect(bytes.idleFiles == (0, 0))
        try await untilKept {
            _ = try await write(content(1), in: bytes)
            try expectIdle(1, 244, in: bytes)
        }
    }

    @Test func aBodyThatThrowsGivesItsFileBack() async throws {
        let pool = try pool()
        try await untilKept {
            await #expect(throws: CancellationError.self) {
                try await content(1).withTemporaryWAV(in: pool) { _ in throw CancellationError() }
            }
            try expectIdle(1, 244, in: pool)
        }
    }

    @Test func memoryPressureDropsWhatWaits() async throws {
        let pool = try pool()
        try await untilKept {
            _ = try await write(content(1), in: pool)
            try expectIdle(1, 244, in: pool)
        }
        #expect(pool.freeMemory(.trim) == 244)
        #expect(pool.idleFiles == (0, 0))
    }

    @Test func aDiskThatIsTooFullIsTold() async throws {
        let pool = try TemporaryStoragePool(minimumFreeBytes: 1 << 60)
        let error = await #expect(throws: AudioError.self) { try await write(content(1), in: pool) }
        #expect(error?.code == .diskFull)
        #expect(throws: AudioError.self) { try TemporaryStoragePool(maxIdleFiles: 0) }
        #expect(throws: AudioError.self) { try TemporaryStoragePool(maxIdleBytes: 0) }
    }

    @Test func whatWaitsMakesRoomWhereTheDiskHasNone() async throws {
        guard let disk = SmallDisk(kilobytes: 512) else { return }
        try await untilKept {
            do {
                try await fillTwice(disk)
            } catch let error as AudioError where error.code == .diskFull {
                throw NotKept()  // dropped too, and its room is the child's for as long
            }
        }
    }

    private func fillTwice(_ disk: SmallDisk) async throws {
        let pool = try TemporaryStoragePool(directory: disk.path, minimumFreeBytes: 0)
        try await content(1, count: 75_000).withTemporaryWAV(in: pool) { _ in
            try await content(2, count: 75_000).withTemporaryWAV(in: pool) { _ in }
        }
        try expectIdle(2, 300_088, in: pool)
        let large = try await write(content(3, count: 200_000), in: pool)
        #expect(large.bytes.count == 400_044)
        try expectIdle(1, 400_044, in: pool)
    }

    @Test func segmentsUseAPoolAndACommandsFileComesBack() async throws {
        let pool = try pool()
        let transcriber = try script("tail -c +45 \"$1\" | head -c 1 | od -An -tu1")
        try await untilKept {
            let results = try await transcribeSegments(
                segments(20), using: transcriber, options: testOptions { $0.storage = pool })
            #expect(results.map(\.text) == (0..<20).map(String.init))
            guard pool.idleFiles.count > 0 else { throw NotKept() }
            #expect(pool.idleFiles.count <= 4)
        }
        let named = try script("echo") { $0.needsNamedFile = true }
        await #expect(throws: AudioError.self) {
            try await transcribeSegments(segments(1), using: named, options: testOptions { $0.storage = pool })
        }
    }
}
