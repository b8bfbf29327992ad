import CLinux
import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

struct TemporaryDirectoryTests {
    let scratch = Scratch()

    private var place: TemporaryPlace {
        TemporaryPlace(named: true, directory: scratch.path, minimumFreeBytes: 0)
    }

    private var privatePath: String { scratch.file("voice-audio-\(geteuid())") }

    @Test func theDirectoryIsTheArgumentElseTheSystems() throws {
        #expect(TemporaryPlace(directory: "/x").directory == "/x")
        // SAFETY: the environment's string is copied at once.
        let system = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        #expect(TemporaryPlace().directory == system)
        #expect(TemporaryPlace().minimumFreeBytes == 1 << 30)
    }

    @Test func leftoversAreRemovedAndFilesInUseAreNot() throws {
        let directory = try PrivateDirectory(in: place)
        let held = try directory.createFile(for: place)
        let stale = ["voice-audio-1-a.wav", "voice-audio-2-b.wav"]
        for name in stale { try withNewFile("\(privatePath)/\(name)") { _ in } }
        // What has another name, or is no file, is not ours.
        try withNewFile("\(privatePath)/notes.wav") { _ in }
        // SAFETY: the strings live through the call.
        #expect(unsafe symlink("/etc/passwd", "\(privatePath)/voice-audio-3-c.wav") == 0)
        #expect(try TemporaryWAV.removeStale(in: scratch.path) == 2)
        #expect(Set(directory.names) == ["notes.wav", "voice-audio-3-c.wav", held.name])
        #expect(exists("/etc/passwd"))
        #expect(try TemporaryWAV.removeStale(in: scratch.path) == 0)
    }

    @Test func theFirstNamedFileOfAProcessSweeps() throws {
        #expect(try TemporaryWAV.removeStale(in: scratch.path) == 0)
        let leftover = "\(privatePath)/voice-audio-1-a.wav"
        try withNewFile(leftover) { _ in }
        try withTemporaryWAV(
            samples: [Int16(1)], format: .speech, named: true, directory: scratch.path, minimumFreeBytes: 0
        ) { wav in
            #expect(!exists(leftover))
            #expect(exists(wav.path))
        }
    }

    @Test(.timeLimit(.minutes(5))) func aFileThatASweepTakesBeforeItsLockIsMadeAgain() throws {
        // Sweeps as fast as it can while files are made: each must keep its name for as long as it is held.
        let directory = scratch.path
        let sweeps = Lock(0)
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            for sweep in 1...3000 {
                _ = try? TemporaryWAV.removeStale(in: directory)
                sweeps.withLock { $0 = sweep }
            }
            ended.signal()
        }
        while sweeps.withLock({ $0 }) < 3000 {
            let file = try TemporaryFile(in: place, toWrite: 0)
            #expect(file.descriptor.information.st_nlink == 1)
            #expect(exists(file.path))
        }
        ended.wait()
        let names = try FileManager.default.contentsOfDirectory(atPath: privatePath)
        #expect(names == [])
    }

    @Test func aSymbolicLinkIsRefused() throws {
        let elsewhere = Scratch()
        // Private itself, so that nothing but the link speaks against it.
        // SAFETY: the strings live through the calls.
        #expect(unsafe chmod(elsewhere.path, 0o700) == 0)
        #expect(unsafe symlink(elsewhere.path, privatePath) == 0)
        let error = expectError(.permissionDenied) { _ = try TemporaryFile(in: place, toWrite: 0) }
        #expect(error?.message.contains(privatePath) == true)
        expectError(.permissionDenied) { try TemporaryWAV.removeStale(in: scratch.path) }
        #expect(elsewhere.names == [])
    }

    @Test func aDirectoryThatOthersMayUseIsRefused() throws {
        // SAFETY: the path lives through the calls.
        #expect(unsafe mkdir(privatePath, 0o700) == 0)
        #expect(unsafe chmod(privatePath, 0o755) == 0)
        let error = expectError(.permissionDenied) { _ = try TemporaryFile(in: place, toWrite: 0) }
        #expect(error?.message.contains("755") == true)
    }

    @Test func aDirectoryOfAnotherUserIsRefused() throws {
        guard geteuid() == 0 else { return print("skipped: giving a directory to another user needs root") }
        // SAFETY: the path lives through the calls.
        #expect(unsafe mkdir(privatePath, 0o700) == 0)
        #expect(unsafe chown(privatePath, 12_345, 12_345) == 0)
        let error = expectError(.permissionDenied) { _ = try TemporaryFile(in: place, toWrite: 0) }
        #expect(error?.message.contains("12345") == true)
    }

    @Test func whereNamelessFilesAreUnknownTheNameIsGoneAtOnce() throws {
        let file = try TemporaryFile(unlinkedIn: place)
        #expect(file.path == "/proc/\(getpid())/fd/\(file.descriptor.number)")
        #expect(file.descriptor.information.st_nlink == 0)
        #expect(file.descriptor.information.st_mode & 0o777 == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: privatePath) == [])
    }
}

extension PrivateDirectory {
    fileprivate var names: [String] { descriptor.names().filter { $0 != "." && $0 != ".." } }
}
