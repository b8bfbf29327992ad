import Glibc

/// An IPv4 or IPv6 address.
struct InternetAddress {
    private enum Bytes {
        case v4(in_addr)
        case v6(in6_addr)
    }

    private let bytes: Bytes

    /// Reads an address in digits; `nil` where `text` is none.
    init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        // SAFETY: each call fills a local of its kind.
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            bytes = .v4(v4)
        } else if unsafe inet_pton(AF_INET6, text, &v6) == 1 {
            bytes = .v6(v6)
        } else {
            return nil
        }
    }

    var family: Int32 {
        switch bytes {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    }

    /// Its 4 or 16 bytes, the same in whichever of its forms it was written.
    var octets: [UInt8] {
        // SAFETY: each reads a local.
        switch bytes {
        case .v4(let address): unsafe withUnsafeBytes(of: address) { unsafe [UInt8]($0) }
        case .v6(let address): unsafe withUnsafeBytes(of: address) { unsafe [UInt8]($0) }
        }
    }

    /// Whether it reaches this machine's own programs only.
    var isLoopback: Bool {
        switch bytes {
        case .v4: octets[0] == 127
        case .v6: octets.dropLast().allSatisfy { $0 == 0 } && octets.last == 1
        }
    }

    /// Whether it stands for all of this machine's.
    var isAny: Bool { octets.allSatisfy { $0 == 0 } }

    /// Runs `body` with the address as system calls take it.
    func withSocketAddress(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        // SAFETY: a local of the family that it names, for the time of the call.
        switch bytes {
        case .v4(let address):
            var socketAddress = sockaddr_in()
            socketAddress.sin_family = sa_family_t(AF_INET)
            socketAddress.sin_port = port.bigEndian
            socketAddress.sin_addr = address
            return unsafe withPointer(to: &socketAddress, body)
        case .v6(let address):
            var socketAddress = sockaddr_in6()
            socketAddress.sin6_family = sa_family_t(AF_INET6)
            socketAddress.sin6_port = port.bigEndian
            socketAddress.sin6_addr = address
            return unsafe withPointer(to: &socketAddress, body)
        }
    }
}

/// Runs `body` with an address of any family as system calls take it.
func withPointer<Address>(
    to address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    // SAFETY: the kernel reads as much as it is told there is.
    unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            unsafe body(pointer, socklen_t(MemoryLayout<Address>.size))
        }
    }
}
