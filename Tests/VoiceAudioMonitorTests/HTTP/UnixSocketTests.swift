import Foundation
import Glibc
import Testing
import VoiceAudioCore

@testable import VoiceAudioMonitor

@Suite(.timeLimit(.minutes(5))) final class UnixSocketTests {
    private let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
        "va-monitor-\(UUID().uuidString)")
    private var path: String { directory.appendingPathComponent("socket").path }

    init() throws { try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private func bench(token: String? = ServerBench.token) throws -> ServerBench {
        try ServerBench(endpoint: .unixSocket(path: path), token: token)
    }

    private var information: stat? {
        var information = stat()
        // SAFETY: the kernel fills a local.
        return unsafe lstat(path, &information) == 0 ? information : nil
    }

    /// By whatever name, as no browser comes here; with the token for a POST all the same.
    @Test func itIsServedToItsOwnerAlone() throws {
        let bench = try bench()
        #expect(information.map { $0.st_mode & 0o7777 } == 0o600)
        #expect(bench.server.url == "unix:\(path)")
        #expect(try bench.connect().ask("GET", "/hello", host: "any.example").body == "hello")
        #expect(try bench.connect().ask("POST", "/hello", body: "").status == 401)
        #expect(try bench.connect().ask("POST", "/hello", ServerBench.authorization, body: "").status == 200)
        bench.server.stop(deadline: .seconds(60))
        #expect(information == nil)
    }

    @Test func anothersSocketStays() throws {
        let first = try bench()
        let number = information?.st_ino
        let error = #expect(throws: AudioError.self) { _ = try bench() }
        #expect(error?.code == .busy)
        #expect(information?.st_ino == number)
        #expect(try first.connect().ask("GET", "/hello").status == 200)
    }

    /// As a process leaves it that was killed.
    @Test func whatADeadServerLeftIsReplaced() throws {
        let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // SAFETY: the path is short, and the kernel reads a local.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let bound = unsafe withPointer(to: &address) { unsafe bind(left, $0, $1) }
        #expect(bound == 0)
        close(left)
        #expect(information != nil)
        let bench = try bench()
        #expect(try bench.connect().ask("GET", "/hello").status == 200)
    }

    /// Who comes for another file of the directory at the same moment is not in the way, and leaves nothing.
    @Test func serversOfOneDirectoryTakeTurns() throws {
        let directory = directory.path
        let failures = Lock<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { number in
            for _ in 0..<20 {
                do {
                    let bench = try ServerBench(endpoint: .unixSocket(path: "\(directory)/\(number)"))
                    bench.server.stop(deadline: .seconds(60))
                } catch { failures.withLock { $0.append("\(error)") } }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
    }

    @Test func aFileThatIsNoSocketStays() throws {
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: AudioError.self) { _ = try bench() }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    /// Whoever put another file in its place keeps it.
    @Test func itRemovesNothingButItsOwn() throws {
        let bench = try bench()
        try FileManager.default.removeItem(atPath: path)
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        bench.server.stop(deadline: .seconds(60))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test func whatIsNotAcceptedIsSaid() {
        for path in ["", "/", String(repeating: "x", count: 108), directory.path + "/none/socket"] {
            #expect(throws: AudioError.self) { _ = try ServerBench(endpoint: .unixSocket(path: path)) }
        }
    }
}
