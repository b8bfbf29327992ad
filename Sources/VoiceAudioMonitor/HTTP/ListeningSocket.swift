import CLinux
import Glibc
import VoiceAudioCore

/// Where clients come in.
final class ListeningSocket {
    enum Arrival {
        case connection(Int32)
        /// Nobody else waits.
        case none
        /// The system has no room for it.
        case failed(AudioError)
    }

    /// For `poll`; −1 once it is closed.
    private(set) var descriptor: Int32
    /// As clients may write it.
    let url: String
    /// What to remove at the end.
    private let file: UnixSocketFile?

    /// - Throws: `invalidConfiguration`, `busy`, `permissionDenied`, `outOfResources`.
    init(_ endpoint: MonitorConfiguration.Endpoint) throws(AudioError) {
        switch endpoint {
        case .tcp(let text, let port):
            let address = try Self.address(text)
            let socket = try Self.socket(address.family)
            try Self.bind(socket, to: address, port: port, called: text)
            let name = address.family == AF_INET6 ? "[\(text)]" : text
            url = "http://\(name):\(Self.port(of: socket))"
            file = nil
            descriptor = try Self.keep(socket)
        case .unixSocket(let path):
            let socket = try Self.socket(AF_UNIX)
            file = try UnixSocketFile(path, for: socket)
            url = "unix:\(path)"
            descriptor = try Self.keep(socket)
        }
    }

    deinit { close() }

    /// Takes no more clients, and removes the socket's file. A second call does nothing.
    func close() {
        guard descriptor >= 0 else { return }
        file?.remove()
        // A fork may have the descriptor: closed here alone, clients would still be let in, to wait for nobody.
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
        _ = Glibc.close(descriptor)
        descriptor = -1
    }

    /// Whether a client waits.
    var hasArrival: Bool {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(descriptor, at: 0)
        return descriptors.poll(nanoseconds: 0) > 0
    }

    /// The next client that waits.
    func accept() -> Arrival {
        while true {
            let connection = clinux_accept(descriptor)
            if connection >= 0 { return .connection(connection) }
            let status = errno
            switch status {
            case EAGAIN: return .none
            // That one is gone.
            case EINTR, ECONNABORTED: continue
            default: return .failed(AudioError(systemCall: "accept4", status: status))
            }
        }
    }

    static func address(_ text: String) throws(AudioError) -> InternetAddress {
        guard let address = InternetAddress(text) else {
            throw AudioError(
                .invalidConfiguration,
                "the monitor's address \"\(text)\": accepted are IPv4 and IPv6 addresses in digits, such as 127.0.0.1 or ::1"
            )
        }
        return address
    }

    private static func socket(_ family: Int32) throws(AudioError) -> OwnedDescriptor {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = Glibc.socket(family, type, 0)
        guard descriptor >= 0 else { throw AudioError(systemCall: "socket", status: errno) }
        return OwnedDescriptor(owning: descriptor)
    }

    private static func bind(
        _ socket: borrowing OwnedDescriptor, to address: InternetAddress, port: UInt16, called text: String
    ) throws(AudioError) {
        let number = socket.number
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // SAFETY: the kernel reads a local. Old connections to the port do not keep it.
        _ = unsafe setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, size)
        // An address is what it says: `::` is not all of IPv4, too.
        if address.family == AF_INET6 { _ = unsafe setsockopt(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size) }
        // SAFETY: the address is valid for the call.
        guard unsafe address.withSocketAddress(port: port, { unsafe Glibc.bind(number, $0, $1) }) == 0 else {
            throw error(ofBind: errno, to: "\(text), port \(port)")
        }
        try listen(socket)
    }

    /// Begins to let clients wait.
    static func listen(_ socket: borrowing OwnedDescriptor) throws(AudioError) {
        guard Glibc.listen(socket.number, 128) == 0 else { throw error(ofBind: errno, to: "its endpoint") }
    }

    static func error(ofBind status: Int32, to name: String) -> AudioError {
        let reason = AudioError.text(ofSystemStatus: status)
        return switch status {
        case EADDRINUSE:
            AudioError(
                .busy, "the monitor cannot listen on \(name): another program does; choose another one", status: status)
        case EACCES, EPERM:
            AudioError(
                .permissionDenied,
                "the monitor may not listen on \(name): \(reason); choose a port from 1024 on, or a directory of yours",
                status: status)
        case EADDRNOTAVAIL:
            AudioError(
                .invalidConfiguration, "the monitor cannot listen on \(name): accepted are addresses of this machine",
                status: status)
        default: AudioError(.outOfResources, "the monitor cannot listen on \(name): \(reason)", status: status)
        }
    }

    private static func port(of socket: borrowing OwnedDescriptor) -> UInt16 {
        var storage = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        // SAFETY: the kernel writes at most as much as there is. The port is at the same place in both families.
        _ = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(socket.number, $0, &size)
            }
        }
        return UInt16(bigEndian: storage.sin6_port)
    }

    /// A descriptor of its own of the same socket, for as long as this object says.
    private static func keep(_ socket: borrowing OwnedDescriptor) throws(AudioError) -> Int32 {
        let copy = clinux_fcntl_int(socket.number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw AudioError(systemCall: "fcntl", status: errno) }
        return copy
    }
}
