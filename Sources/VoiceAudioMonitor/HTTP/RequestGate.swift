import Glibc

/// Who may ask at all, before anybody looks what is asked for.
struct RequestGate: Sendable {
    private let limits: MonitorLimits
    private let token: BearerToken?
    /// Whether the token is needed even to look.
    private let isPublic: Bool
    /// Paths for which it is not.
    private let openPaths: Set<String>
    /// Names by which clients may call; `nil` where none could be led here by another.
    private let hosts: HostNames?

    /// - Parameters:
    ///   - isPublic: Whether others than this machine's own programs can reach it.
    ///   - hosts: `nil` for a Unix socket, which browsers cannot reach.
    ///   - openPaths: What everybody may GET.
    init(token: BearerToken?, isPublic: Bool, openPaths: Set<String>, hosts: HostNames?, limits: MonitorLimits) {
        (self.token, self.isPublic, self.openPaths) = (token, isPublic, openPaths)
        (self.hosts, self.limits) = (hosts, limits)
    }

    /// Why a request is refused; `nil` where it is not.
    func refusal(of request: MonitorRequest) -> MonitorResponse? {
        misdirection(of: request) ?? oversize(of: request) ?? foreignness(of: request) ?? lackOfToken(in: request)
    }

    private func misdirection(of request: MonitorRequest) -> MonitorResponse? {
        guard let hosts, !hosts.accept(request.headers["host"]) else { return nil }
        return MonitorResponse(status: 421, error: "the Host header names another machine: accepted are \(hosts)")
    }

    private func oversize(of request: MonitorRequest) -> MonitorResponse? {
        if request.headers["transfer-encoding"] != nil {
            return MonitorResponse(
                status: 411, error: "a body needs a Content-Length, of at most \(limits.bodyBytes) bytes")
        }
        guard let length = request.headers["content-length"], Int(length).map({ $0 > limits.bodyBytes }) ?? true else {
            return nil
        }
        return MonitorResponse(
            status: 413,
            error: "the body is too long: accepted are at most \(limits.bodyBytes) bytes, and none is needed")
    }

    /// What a browser sends for a page of somebody else's: it could not read the answer, but would have its effect.
    private func foreignness(of request: MonitorRequest) -> MonitorResponse? {
        let isNavigation = request.headers["sec-fetch-mode"] == "navigate" && request.method != "POST"
        if request.headers["sec-fetch-site"] == "cross-site", !isNavigation {
            return MonitorResponse(status: 403, error: "a page from elsewhere asks: only this server's own may")
        }
        guard request.method == "POST", let origin = request.headers["origin"] else { return nil }
        let host = request.headers["host"]?.lowercased() ?? ""
        guard !["http://\(host)", "https://\(host)"].contains(origin.lowercased()) else { return nil }
        return MonitorResponse(status: 403, error: "the Origin header names another page than this server's own")
    }

    private func lackOfToken(in request: MonitorRequest) -> MonitorResponse? {
        guard isPublic && !openPaths.contains(request.path) || request.method == "POST" else { return nil }
        guard let token else {
            return MonitorResponse(status: 403, error: "there is no token: POST is accepted once the monitor has one")
        }
        guard !token.isIn(request.headers["authorization"]) else { return nil }
        return MonitorResponse(
            status: 401, error: "the token is missing or wrong: accepted is Authorization: Bearer TOKEN",
            headers: ["WWW-Authenticate": "Bearer realm=\"voice-audio\""])
    }
}

/// What the Host header may say, so that no page of somebody else's reaches the server by a name of its own that leads here
/// (DNS rebinding). With any port: one that was forwarded is another.
struct HostNames: Sendable, CustomStringConvertible {
    private let names: Set<String>
    /// Those of them that are addresses, which have several forms.
    private let addresses: Set<[UInt8]>
    /// Of a server that listens on all addresses, each is its own; and no address is a name that could lead here.
    private let acceptsAddresses: Bool

    /// - Parameter address: Where the server listens.
    init(address: String, allowed: Set<String>) {
        names = Set((["localhost", "127.0.0.1", "::1", address] + allowed).map { $0.lowercased() })
        addresses = Set(names.compactMap { InternetAddress($0)?.octets })
        acceptsAddresses = InternetAddress(address)?.isAny ?? false
    }

    func accept(_ header: String?) -> Bool {
        guard let name = header.flatMap(Self.name) else { return false }
        guard let address = InternetAddress(name) else { return names.contains(name) }
        return acceptsAddresses || addresses.contains(address.octets)
    }

    var description: String {
        names.sorted().joined(separator: ", ") + (acceptsAddresses ? ", addresses in digits" : "")
    }

    /// Without the port, and without brackets; `nil` where it is no host.
    private static func name(in header: String) -> String? {
        var name = header.lowercased()[...]
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]"), !name[colon...].dropFirst().isEmpty,
            name[colon...].dropFirst().allSatisfy({ $0.isASCII && $0.isNumber })
        {
            name = name[..<colon]
        }
        guard name.hasPrefix("[") || name.contains(":") else { return String(name) }
        return name.hasPrefix("[") && name.hasSuffix("]") ? String(name.dropFirst().dropLast()) : nil
    }
}
