import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

/// What is done to the file behind a collector's back.
struct ResultDamageTests {
    /// Changes a byte of the file.
    private func flip(_ results: ResultCollector<[UInt8]>, at offset: Int) throws {
        let descriptor = try #require(results.store.spillDescriptor)
        var byte: UInt8 = 0
        // SAFETY: one byte of a local.
        try #require(unsafe pread(descriptor, &byte, 1, offset) == 1)
        byte ^= 0x80
        try #require(unsafe pwrite(descriptor, &byte, 1, offset) == 1)
    }

    /// Wherever a byte is changed, one result is damaged, and tells its number.
    @Test func aChangedByteDamagesOneResult() throws {
        let results = byteCollector()
        let values = (0..<8).map { [UInt8](repeating: UInt8($0), count: 5 + 3 * $0) }
        for value in values { try results.append(value) }
        #expect(try results.freeMemory(.shrink) > 0)
        // Whole pages are written, of which these bytes are in use.
        #expect(results.spilledByteCount == 4096)
        let byteCount = values.map { $0.count + 16 }.reduce(0, +)
        var seen: [Int: Int] = [:]
        for offset in 0..<byteCount {
            try flip(results, at: offset)
            var damaged: [Int] = []
            for (index, result) in results.enumerated() {
                switch result {
                case .success(let bytes): if bytes != values[index] { Issue.record("unseen damage at byte \(offset)") }
                case .failure(let error):
                    #expect(error.code == .damagedResult && error.message.hasPrefix("result \(index) is damaged"))
                    damaged.append(index)
                }
            }
            #expect(values.indices.filter { (try? results.result(at: $0)) != values[$0] } == damaged)
            if damaged.count == 1 { seen[damaged[0], default: 0] += 1 } else { Issue.record("\(offset): \(damaged)") }
            try flip(results, at: offset)
        }
        #expect(seen == Dictionary(uniqueKeysWithValues: values.indices.map { ($0, values[$0].count + 16) }))
        // Seen twice, in order and by number.
        #expect(results.report.damagedCount == 2 * byteCount)
        #expect(try results.map { try $0.get() } == values)
    }

    @Test func whatIsCutOffIsDamagedAndTheRestReads() throws {
        let results = byteCollector()
        try append(0..<200, to: results)
        #expect(try results.freeMemory(.trim) > 0)
        let descriptor = try #require(results.store.spillDescriptor)
        let spilled = results.report.spilledCount
        // The last block on disk lacks its table, or a part of it.
        #expect(ftruncate(descriptor, results.spilledByteCount - 4096) == 0)
        let codes = results.map(\.code)
        #expect(codes[..<(spilled - 40)].allSatisfy { $0 == nil } && codes[spilled...].allSatisfy { $0 == nil })
        #expect(codes[..<spilled].contains(.damagedResult))
        #expect(ftruncate(descriptor, 0) == 0)
        expectNumbered(results, 200, damaged: Set(0..<spilled))
        expectError(.damagedResult) { try results.result(at: 0) }
    }

    @Test func bytesOfAnotherPlaceAreDamage() throws {
        // Two blocks that differ in nothing but their place.
        let results = byteCollector()
        for _ in 0..<2 {
            for number in 0..<10 { try results.append([UInt8(number)]) }
            #expect(try results.freeMemory(.shrink) > 0)
        }
        let descriptor = try #require(results.store.spillDescriptor)
        let half = results.spilledByteCount / 2
        var bytes = [UInt8](repeating: 0, count: half)
        // SAFETY: as many bytes as the array has.
        #expect(unsafe pread(descriptor, &bytes, half, 0) == half)
        #expect(unsafe pwrite(descriptor, bytes, half, half) == half)
        let isGood = results.map { (try? $0.get()) != nil }
        #expect(isGood == (0..<20).map { $0 < 10 })
    }

    @Test func aFileThatCannotBeReadIsAnErrorOfEachResult() throws {
        let results = byteCollector()
        try append(0..<60, to: results)
        #expect(try results.freeMemory(.trim) > 0)
        let spilled = results.report.spilledCount
        let descriptor = try #require(results.store.spillDescriptor)
        // A directory in its place: it can be opened, not read.
        let saved = dup(descriptor)
        let directory = try OwnedDescriptor(opening: "/", O_RDONLY | O_DIRECTORY)
        #expect(dup2(directory.number, descriptor) == descriptor)
        let codes = results.map(\.code)
        #expect(codes == (0..<60).map { $0 < spilled ? .unreadableFile : nil })
        #expect(dup2(saved, descriptor) == descriptor)
        close(saved)
        expectNumbered(results, 60)
    }
}
