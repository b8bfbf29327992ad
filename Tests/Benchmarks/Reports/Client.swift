import Glibc

/// Asks a monitor's server, as Prometheus does: a connection each time.
struct Client {
    private let port: UInt16

    /// - Parameter url: Of the server, on the loopback: `http://127.0.0.1:PORT`.
    init(_ url: String) {
        guard let port = url.split(separator: ":").last.flatMap({ UInt16($0.prefix { $0.isNumber }) }) else {
            fatalError("\(url) has no port")
        }
        self.port = port
    }

    /// The bytes of the answer to `GET path`, its head included. Ends the program where it is not 200.
    func get(_ path: String) -> [UInt8] {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(connection) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { fatalError("the server cannot be reached") }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n".utf8)
        guard write(connection, request, request.count) == request.count else { fatalError("no request") }
        let answer = [UInt8](unsafeUninitializedCapacity: 4 << 20) { room, count in
            while count < room.count {
                let taken = read(connection, room.baseAddress! + count, room.count - count)
                guard taken > 0 else { break }
                count += taken
            }
        }
        guard answer.starts(with: "HTTP/1.1 200".utf8) else { fatalError("\(path) was refused") }
        return answer
    }
}
