import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

struct ResultSpillTests {
    // MARK: Pressure

    @Test func underPressureResultsGoToDisk() throws {
        let results = byteCollector()
        try append(0..<50, to: results)
        #expect(results.memoryByteCount == 3 * blockBytes && results.spilledByteCount == 0)
        #expect(try results.freeMemory(.trim) == 2 * blockBytes)
        #expect(results.memoryByteCount == blockBytes)
        #expect(try results.freeMemory(.trim) == 0)
        try append(50..<52, to: results)
        #expect(try results.freeMemory(.shrink) == blockBytes)
        #expect(results.memoryByteCount == 0 && results.report.spilledCount == 52)
        #expect(try results.freeMemory(.emergency) == 0)
        try append(52..<200, to: results)
        expectNumbered(results, 200)
    }

    // MARK: A budget's node

    @Test func whatANodeRefusesGoesToDisk() throws {
        let process = try MemoryBudget(name: "process", limitBytes: 3 * blockBytes)
        let other = try process.reserve(blockBytes, for: "ring")
        let results = byteCollector(in: process)
        for number in 0..<200 {
            try results.append(numberedBytes(number))
            #expect(process.usedBytes == results.memoryByteCount + blockBytes)
        }
        #expect(results.memoryByteCount == 2 * blockBytes && results.spilledByteCount > 0)
        expectNumbered(results, 200)
        results.close()
        #expect(process.usedBytes == other.byteCount)
    }

    @Test func aNodeWithoutRoomForABlockRefusesUntilThereIs() throws {
        let process = try MemoryBudget(name: "process", limitBytes: 3 * blockBytes)
        let other = try process.reserve(3 * blockBytes, for: "ring")
        let results = byteCollector(in: process)
        expectError(.budgetExceeded) { try results.append([1]) }
        #expect(results.isEmpty && results.report.refusedCount == 1)
        try other.resize(to: 2 * blockBytes)
        try append(0..<100, to: results)
        expectNumbered(results, 100)
    }

    @Test func aCollectorThatGoesGivesItsNodeBack() throws {
        let process = try MemoryBudget(name: "process", limitBytes: 1 << 20)
        var results: ResultCollector<[UInt8]>? = byteCollector(in: process)
        try results?.append([1])
        #expect(process.report.purposes == ["results": blockBytes])
        results = nil
        #expect(process.usedBytes == 0)
    }

    // MARK: Full disks

    /// Appends until it is refused; the number of results then.
    private func fill(_ results: ResultCollector<[UInt8]>, from first: Int = 0, _ words: String) -> Int {
        var number = first
        while number < 100_000, (try? results.append(numberedBytes(number))) != nil { number += 1 }
        let error = expectError(.diskFull) { try results.append(numberedBytes(number)) }
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
        #expect(results.report.refusedCount == 2)
        return number
    }

    @Test func aFullDiskLosesNothingThatWasAccepted() throws {
        guard let disk = SmallDisk(kilobytes: 512) else { return }
        let results = byteCollector(spill: ResultSpill(directory: disk.path, minimumFreeBytes: 0))
        try append(0..<100, to: results)
        disk.fill()
        let count = fill(results, from: 100, "\"\(disk.path)\"")
        #expect(count == results.count)
        let spilled = results.spilledByteCount
        expectError(.diskFull) { try results.freeMemory(.shrink) }
        #expect(results.memoryByteCount == smallBudget && results.spilledByteCount == spilled)
        expectNumbered(results, count)
        // There is room again.
        try FileManager.default.removeItem(atPath: disk.path + "/filling")
        let more = try append(count..<count + 100, to: results)
        expectNumbered(results, more)
    }

    @Test func spaceIsKeptFree() throws {
        guard let disk = SmallDisk(kilobytes: 512) else { return }
        let results = byteCollector(spill: ResultSpill(directory: disk.path, minimumFreeBytes: 256 << 10))
        let count = fill(results, "262144 must stay free")
        #expect((200_000...256 << 10).contains(results.spilledByteCount))
        expectNumbered(results, count)
    }

    @Test func theSpillHasAQuota() throws {
        let results = byteCollector(spill: ResultSpill(maximumBytes: 200_000, minimumFreeBytes: 0))
        let count = fill(results, "above the 200000 that the collector's spill may have")
        #expect((150_000...200_000).contains(results.spilledByteCount))
        expectNumbered(results, count)
        #expect(results.removeAll() == count)
        #expect(try append(0..<count, to: results) == count)
    }

    @Test func withoutSpaceOnDiskAllStaysInMemory() throws {
        let results = byteCollector(spill: ResultSpill(maximumBytes: 0))
        let count = fill(results, "above the 0 ")
        #expect(results.memoryByteCount == smallBudget && results.spilledByteCount == 0)
        expectNumbered(results, count)
        // Nothing that a clean-up would have to complain of.
        #expect(try results.freeMemory(.emergency) == 0)
    }

    @Test func spillingInVainCostsNoRoom() throws {
        guard let disk = SmallDisk(kilobytes: 256) else { return }
        let both = (0..<2).map { _ in byteCollector(spill: ResultSpill(directory: disk.path, minimumFreeBytes: 0)) }
        for results in both {
            try append(0..<5, to: results)
            #expect(try results.freeMemory(.shrink) > 0)
        }
        disk.fill()
        for number in 5..<25 {
            try both[1].append(numberedBytes(number))
            expectError(.diskFull) { try both[1].freeMemory(.shrink) }
        }
        let count = fill(both[0], from: 5, "\"\(disk.path)\"")
        #expect(fill(both[1], from: 25, "\"\(disk.path)\"") == count)
        for results in both { expectNumbered(results, count) }
    }

    // MARK: Directories

    private func collector(_ directories: [String], logSink: any AudioLogSink) -> ResultCollector<[UInt8]> {
        ResultCollector(
            budget: .bytes(smallBudget), spill: ResultSpill(minimumFreeBytes: 0),
            places: SpillPlaces(directories: directories, avoidsMemory: true), logSink: logSink)
    }

    private final class Lines: AudioLogSink {
        let all = Lock<[String]>([])

        func log(
            level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
            source: @autoclosure () -> String
        ) {
            let line = "\(level) \(message()) \(metadata()["directory"] ?? "")"
            all.withLock { $0.append(line) }
        }
    }

    @Test func aDirectoryThatIsMemoryIsPassedOver() throws {
        guard let memory = SmallDisk(kilobytes: 512), isOnDisk("/var/tmp") else { return }
        let lines = Lines()
        let results = collector([memory.path, "/var/tmp"], logSink: lines)
        try append(0..<200, to: results)
        expectNumbered(results, 200)
        #expect(results.report.spillDirectory == "/var/tmp")
        #expect(results.report.temporaryDirectoryIsMemory == true)
        let line = "notice the temporary directory is memory; results that have no room there go elsewhere /var/tmp"
        #expect(lines.all.withLock { $0 } == [line])

        // Under pressure, too.
        let onDisk = collector(["/var/tmp"], logSink: lines)
        try append(0..<20, to: onDisk)
        for _ in 0..<2 { _ = try onDisk.freeMemory(.shrink) }
        #expect(onDisk.report.temporaryDirectoryIsMemory == false)
        let second = lines.all.withLock { $0.dropFirst() }
        #expect(second == ["debug results that memory has no room for go to disk /var/tmp"])
    }

    @Test func whereAllDirectoriesAreMemoryTheBudgetIsTheEnd() throws {
        guard let memory = SmallDisk(kilobytes: 512) else { return }
        let results = collector([memory.path], logSink: SilentLogSink())
        var count = 0
        let error = expectError(.notWritable) {
            while true {
                try results.append(numberedBytes(count))
                count += 1
            }
        }
        #expect(error?.message.contains("\(memory.path) are memory") == true)
        #expect(results.memoryByteCount == smallBudget)
        expectNumbered(results, count)
    }

    @Test func aDirectoryThatIsNamedIsUsedEvenIfItIsMemory() throws {
        guard let memory = SmallDisk(kilobytes: 2048) else { return }
        let lines = Lines()
        let results = ResultCollector<[UInt8]>(
            budget: .bytes(smallBudget), spill: ResultSpill(directory: memory.path, minimumFreeBytes: 0), logSink: lines
        )
        try append(0..<200, to: results)
        #expect(results.report.spillDirectory == memory.path)
        let line = "notice the directory named for results is memory; they go there all the same \(memory.path)"
        #expect(lines.all.withLock { $0 } == [line])
        #expect(results.report.temporaryDirectoryIsMemory == true)
        // It has no name there.
        #expect(try FileManager.default.contentsOfDirectory(atPath: memory.path) == [])
    }

    @Test func aDirectoryThatIsNotThereIsNamed() throws {
        let results = byteCollector(spill: ResultSpill(directory: "/no/such/place"))
        let error = expectError(.notWritable) { try append(0..<200, to: results) }
        #expect(error?.message.contains("\"/no/such/place\"") == true)
        expectNumbered(results, results.count)
    }

    @Test func theUsualDirectoriesEndWithTheUsersCache() {
        let places = SpillPlaces(ResultSpill())
        #expect(places.avoidsMemory && places.directories.contains("/var/tmp"))
        #expect(places.directories[0] == TemporaryPlace().directory)
        let preferred = SpillPlaces(ResultSpill(temporaryDirectory: "/x"))
        #expect(preferred.avoidsMemory && preferred.directories == ["/x"] + places.directories.dropFirst())
        let named = SpillPlaces(ResultSpill(directory: "/x", temporaryDirectory: "/y"))
        #expect(named.directories == ["/x"] && !named.avoidsMemory)
    }

    private func isOnDisk(_ directory: String) -> Bool {
        let isMemory = (try? OwnedDescriptor(opening: directory, O_RDONLY | O_DIRECTORY).isInMemory) ?? true
        if isMemory { print("skipped: \(directory) is not on a disk") }
        return !isMemory
    }
}
