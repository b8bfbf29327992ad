/// Where a ``MonitorServer`` listens, and whom it lets in.
public struct MonitorConfiguration: Sendable, Hashable {
    /// Where it listens.
    public enum Endpoint: Sendable, Hashable {
        /// An IPv4 or IPv6 address of this machine, in digits, and a port; with port 0 the system chooses one.
        case tcp(address: String, port: UInt16)
        /// A socket in the file system, which its owner alone may use. At most 107 bytes.
        case unixSocket(path: String)
    }

    /// Where it listens; on the loopback by default.
    public var endpoint: Endpoint
    /// What `Authorization: Bearer …` must have: required for every POST, and for all where the endpoint is neither a loopback
    /// address nor a Unix socket. Without one every POST is refused. 16 to 256 letters, digits and signs of ASCII, without
    /// spaces.
    public var token: String?
    /// Names by which clients may call this machine, besides its address and `localhost`: as in `http://recorder.lan:8080`.
    /// A browser that was led here by another name is refused: that is how foreign pages reach servers on the loopback.
    public var allowedHosts: Set<String>

    /// A configuration of the values given; checked when the server starts.
    public init(
        endpoint: Endpoint = .tcp(address: "127.0.0.1", port: 0), token: String? = nil, allowedHosts: Set<String> = []
    ) {
        self.endpoint = endpoint
        self.token = token
        self.allowedHosts = allowedHosts
    }
}
