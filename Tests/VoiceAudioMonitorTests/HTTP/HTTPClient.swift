import Foundation
import Glibc
import VoiceAudioCore

/// A client that says exactly what a test wants it to, over a socket of its own.
final class HTTPClient {
    struct Reply {
        var status: Int
        /// By names in small letters.
        var headers: [String: String]
        var body: String
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let descriptor: Int32
    private var received = Data()

    /// Connects to a server by its URL.
    init(_ url: String) throws {
        if url.hasPrefix("unix:") {
            descriptor = try Self.connect(path: String(url.dropFirst(5)))
        } else {
            let parts = try Self.require(URLComponents(string: url), "\"\(url)\" is no URL")
            let host = (parts.host ?? "").trimmingCharacters(in: ["[", "]"])
            descriptor = try Self.connect(host, port: UInt16(parts.port ?? 0))
        }
        // An end for a test whose server does not answer.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        // SAFETY: the kernel reads a local.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Writes all of it; whether the server took it.
    @discardableResult
    func send(_ text: String) -> Bool { send([UInt8](text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: the kernel reads within the bytes.
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Reads until `marker` has come, and answers everything up to it and with it; `nil` where the server closes before.
    func read(upTo marker: String) -> String? {
        let pattern = Data(marker.utf8)
        var looked = 0
        while true {
            if let found = received.range(of: pattern, in: looked..<received.count) { return take(found.upperBound) }
            looked = max(0, received.count - pattern.count)
            guard readMore() else { return nil }
        }
    }

    /// Everything until the server closes.
    func readToEnd() -> String {
        while readMore() {}
        return take(received.count)
    }

    private func take(_ count: Int) -> String {
        defer { received = Data(received.dropFirst(count)) }
        return String(decoding: received.prefix(count), as: UTF8.self)
    }

    /// A response with its body.
    func reply(toHead isHead: Bool = false) throws -> Reply {
        let head = try Self.require(read(upTo: "\r\n\r\n"), "no response")
        let lines = head.components(separatedBy: "\r\n")
        let status = try Self.require(lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) }, head)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
        }
        let count = isHead ? 0 : headers["content-length"].flatMap { Int($0) } ?? 0
        while received.count < count { guard readMore() else { throw Failure(description: "the body is cut off") } }
        return Reply(status: status, headers: headers, body: take(count))
    }

    /// One request, and its response.
    func ask(
        _ method: String = "GET", _ path: String, host: String? = "localhost", _ headers: [String: String] = [:],
        body: String? = nil
    ) throws -> Reply {
        var text = "\(method) \(path) HTTP/1.1\r\n"
        if let host { text += "Host: \(host)\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        send(text + "\r\n" + (body ?? ""))
        return try reply(toHead: method == "HEAD")
    }

    private func readMore() -> Bool {
        var room = [UInt8](repeating: 0, count: 65536)
        // SAFETY: the kernel writes within the room.
        let count = unsafe room.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return false }
        received.append(Data(room[..<count]))
        return true
    }

    private static func require<Value>(_ value: Value?, _ what: String) throws -> Value {
        guard let value else { throw Failure(description: what) }
        return value
    }

    private static func connect(_ host: String, port: UInt16) throws -> Int32 {
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        // SAFETY: fills a local.
        if unsafe inet_pton(AF_INET, host, &v4.sin_addr) == 1 { return try connect(&v4, AF_INET) }
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        // SAFETY: as above.
        _ = unsafe inet_pton(AF_INET6, host, &v6.sin6_addr)
        return try connect(&v6, AF_INET6)
    }

    private static func connect(path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // SAFETY: the tests' paths are short.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        return try connect(&address, AF_UNIX)
    }

    private static func connect<Address>(_ address: inout Address, _ family: Int32) throws -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "no socket: \(errno)") }
        // SAFETY: the kernel reads as much as it is told there is.
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe Glibc.connect(descriptor, pointer, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard status == 0 else {
            close(descriptor)
            throw Failure(description: "not connected: \(errno)")
        }
        return descriptor
    }
}
