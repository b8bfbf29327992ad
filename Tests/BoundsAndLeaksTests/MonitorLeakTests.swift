import CAllocationCounter
import Glibc
import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioMonitor
import XCTest

/// Servers and their clients leave threads, descriptors and memory level.
final class MonitorLeakTests: XCTestCase {
    private let reporter = SystemReporter()

    /// Runs `body` twice, and compares the process before and after.
    private func assertLevel(_ body: () throws -> Void) throws {
        try body()
        ProcessMemory.trimHeap()
        let (descriptors, resident) = (ProcessCounts.descriptors, ProcessCounts.residentBytes)
        try body()
        XCTAssertTrue(
            eventually { ProcessCounts.threads() == 0 && ProcessCounts.descriptors == descriptors },
            "\(ProcessCounts.descriptors) of \(descriptors) descriptors, \(ProcessCounts.threadNames)")
        ProcessMemory.trimHeap()
        // A sanitizer keeps what was freed for a while.
        guard allocationCounterIsActive() else { return }
        XCTAssertLessThan(ProcessCounts.residentBytes - resident, 1 << 20)
    }

    func testServersThatStartAndStop() throws {
        try assertLevel {
            for round in 0..<100 {
                let server = MonitorServer(reporter)
                try server.start()
                let clients = try (0..<4).map { _ in try connect(to: server) }
                if round % 2 == 0 { for client in clients { ask(client, "/healthz") } }
                XCTAssertTrue(server.stop(deadline: .seconds(60)))
                for client in clients { close(client) }
            }
        }
    }

    /// Without a word, and with clients that are still there.
    func testServersThatAreDropped() throws {
        try assertLevel {
            for _ in 0..<50 {
                let server = MonitorServer(reporter)
                try server.start()
                let client = try connect(to: server)
                ask(client, "/system-resources")
                close(client)
            }
        }
    }

    func testClientsThatComeAndGo() throws {
        let server = MonitorServer(reporter)
        try server.start()
        let comeAndGo = {
            for round in 0..<3000 {
                let client = try self.connect(to: server)
                switch round % 3 {
                case 0: self.ask(client, "/healthz")
                case 1: self.send(client, "GET /system-reso")
                default: break
                }
                close(client)
            }
            ProcessMemory.trimHeap()
        }
        let descriptors = ProcessCounts.descriptors
        try comeAndGo()
        let resident = ProcessCounts.residentBytes
        try comeAndGo()
        // As many connections as there may be, of clients that are gone.
        XCTAssertLessThanOrEqual(ProcessCounts.descriptors, descriptors + 64)
        if allocationCounterIsActive() { XCTAssertLessThan(ProcessCounts.residentBytes - resident, 1 << 20) }
        XCTAssertTrue(server.stop(deadline: .seconds(60)))
    }

    /// A server that cannot be had leaves nothing, and none of the refusals closes what is another's.
    func testServersThatAreRefused() throws {
        let taken = MonitorServer(reporter)
        try taken.start()
        let port = try XCTUnwrap(taken.url.flatMap { UInt16($0.split(separator: ":").last ?? "") })
        let descriptors = ProcessCounts.descriptors
        for _ in 0..<50 {
            let same = MonitorConfiguration(endpoint: .tcp(address: "127.0.0.1", port: port))
            XCTAssertThrowsError(try MonitorServer(reporter, configuration: same).start())
            let open = MonitorConfiguration(endpoint: .tcp(address: "0.0.0.0", port: 0))
            XCTAssertThrowsError(try MonitorServer(reporter, configuration: open).start())
            let nowhere = MonitorConfiguration(endpoint: .unixSocket(path: "/there/is/none"))
            XCTAssertThrowsError(try MonitorServer(reporter, configuration: nowhere).start())
        }
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
        let client = try connect(to: taken)
        ask(client, "/healthz")
        close(client)
        XCTAssertTrue(taken.stop(deadline: .seconds(60)))
    }

    /// Whatever number of descriptors it has, none is closed that is not its own, and it serves again when there are more.
    func testWithoutDescriptorsItGoesOn() throws {
        for spare in 0..<14 {
            let limit = setDescriptorLimit(UInt(ProcessCounts.descriptors + spare))
            let server = MonitorServer(reporter)
            let started = Result { try server.start() }
            var client: Int32 = -1
            if case .success = started { client = (try? connect(to: server)) ?? -1 }
            setDescriptorLimit(limit)
            guard case .success = started else { continue }
            if client < 0 { client = try connect(to: server) }
            ask(client, "/healthz")
            close(client)
            XCTAssertTrue(server.stop(deadline: .seconds(60)))
        }
    }

    // MARK: - A client

    private func connect(to server: MonitorServer) throws -> Int32 {
        let port = try XCTUnwrap(server.url.flatMap { UInt16($0.split(separator: ":").last ?? "") })
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard client >= 0 else { throw AudioError(.outOfResources, "no socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // SAFETY: the kernel reads a local.
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        XCTAssertEqual(status, 0)
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        // SAFETY: as above.
        _ = unsafe setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return client
    }

    private func send(_ client: Int32, _ text: String) {
        // SAFETY: the text lives through the call.
        XCTAssertEqual(unsafe Glibc.send(client, text, text.utf8.count, Int32(MSG_NOSIGNAL)), text.utf8.count)
    }

    private func ask(_ client: Int32, _ path: String) {
        send(client, "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        var room = [UInt8](repeating: 0, count: 65536)
        // SAFETY: the kernel writes within the room.
        let count = unsafe recv(client, &room, room.count, 0)
        XCTAssertTrue(String(decoding: room.prefix(max(0, count)), as: UTF8.self).hasPrefix("HTTP/1.1 200"))
    }
}
