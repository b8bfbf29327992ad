import Foundation
import Glibc
import TestSupport
import VoiceAudioCore
import XCTest

/// Inputs of every kind, damaged at random: no crash, no hang, nothing left behind.
///
/// `Scripts/fuzz` runs more of them, and one alone; it sets the variables that this reads.
final class FuzzTests: XCTestCase {
    private static let targets: [FuzzTarget] = [.settings, .soundFiles, .devices, .commandLine]

    /// Seconds that one input may take, on a busy machine and under a sanitizer.
    private static let patience: UInt32 = 60

    private func variable(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    func testNoInputDoesHarm() throws {
        let seed = SeededGenerator.freshSeed()
        let count = Int(variable("VOICEAUDIO_FUZZ_INPUTS") ?? 2000)
        let only = variable("VOICEAUDIO_FUZZ_ONLY").map { Int($0) }
        try inDirectoryOfItsOwn {
            CurrentInput.watch
            let numbers = only.map { $0..<$0 + 1 } ?? 0..<count
            var resident: [Int] = []
            var descriptors = 0
            for number in numbers {
                try tryInput(number, seed: seed, isAlone: only != nil)
                if number == count / 8 { descriptors = ProcessCounts.descriptors }
                if number % 100 == 99 { resident.append(ProcessCounts.residentBytes) }
                if number % 1000 == 999 { removeFiles() }
            }
            CurrentInput.clear()
            guard only == nil else { return }
            XCTAssertEqual(ProcessCounts.descriptors, descriptors)
            XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
            let quarter = max(1, resident.count / 4)
            let (first, last) = (median(resident.prefix(quarter)), median(resident.suffix(quarter)))
            let summary = "fuzz: \(count) inputs, seed \(seed), resident \(first >> 10) KiB, then \(last >> 10) KiB\n"
            FileHandle.standardError.write(Data(summary.utf8))
            // A sanitizer keeps what was freed.
            if !ProcessCounts.isSanitized { XCTAssertLessThan(last - first, 16 << 20, summary) }
        }
    }

    private func tryInput(_ number: Int, seed: UInt64, isAlone: Bool) throws {
        var place = number % 100
        let target = try XCTUnwrap(
            Self.targets.first { target in
                place -= target.share
                return place < 0
            })
        let input = target.input(number: number, seed: seed)
        let name = "fuzz: input \(number) for \(target.name): Scripts/fuzz --seed \(seed) --only \(number)"
        CurrentInput.set(name, seconds: Self.patience)
        if isAlone { FileHandle.standardError.write(Data("\(name)\n\(input.debugDescription)\n".utf8)) }
        do {
            try target.run(input)
        } catch {
            XCTFail("\(name): \(error); \(String(decoding: input.prefix(300), as: UTF8.self).debugDescription)")
        }
    }

    /// Runs `body` in an empty directory, which is also ALSA's configuration, and with no settings of the user's.
    private func inDirectoryOfItsOwn(_ body: () throws -> Void) throws {
        let manager = FileManager.default
        let directory = NSTemporaryDirectory() + "/voiceaudio-fuzz-" + UUID().uuidString
        let before = manager.currentDirectoryPath
        try manager.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer {
            _ = manager.changeCurrentDirectoryPath(before)
            try? manager.removeItem(atPath: directory)
        }
        let plugin = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        try FuzzTarget.alsaConfiguration(plugin: plugin + "/libasound_module_pcm_numbered.so")
            .write(toFile: directory + "/asound.conf", atomically: true, encoding: .utf8)
        let own = ProcessInfo.processInfo.environment.keys.filter { $0.hasPrefix("VOICE_AUDIO_") }
        var variables = Dictionary(uniqueKeysWithValues: own.map { ($0, String?.none) })
        variables["ALSA_CONFIG_PATH"] = directory + "/asound.conf"
        variables["VOICE_AUDIO_MIN_FREE_DISK_MB"] = "0"
        let replaced = changeProcessEnvironment(variables)
        defer { changeProcessEnvironment(replaced) }
        try manager.createDirectory(atPath: directory + "/files", withIntermediateDirectories: false)
        XCTAssertTrue(manager.changeCurrentDirectoryPath(directory + "/files"))
        try body()
    }

    private func removeFiles() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: ".")) ?? [] {
            try? FileManager.default.removeItem(atPath: name)
        }
    }

    private func median(_ values: some Collection<Int>) -> Int { values.sorted()[values.count / 2] }
}
