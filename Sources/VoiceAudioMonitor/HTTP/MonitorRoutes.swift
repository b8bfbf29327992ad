/// What is served where. The rest is answered 404.
struct MonitorRoutes: Sendable {
    /// How requests for one path are answered.
    enum Answer: Sendable {
        /// At once, on the server's thread: takes short locks at most.
        case now(@Sendable (MonitorRequest) -> MonitorResponse)
        /// By work that may take seconds, on a thread of its own; one request's at a time. What it cannot do at all, it
        /// says at once.
        case later(@Sendable (MonitorRequest) -> Work)
        /// With server-sent events: each call gives the next complete block, for all listeners; none where it is empty.
        case events(@Sendable () -> [UInt8])
    }

    enum Work: Sendable {
        case refused(MonitorResponse)
        case accepted(@Sendable () -> MonitorResponse)
    }

    /// For GET, which serves HEAD, too.
    var get: [String: Answer] = [:]
    /// For POST; all of these need the token.
    var post: [String: Answer] = [:]

    /// Paths that need no token even where one is needed to look: the page's own files, which tell nothing. Without them no
    /// browser could show where to enter it.
    var open: Set<String> = []

    /// The methods that `path` has; none where there is no such path.
    func methods(of path: String) -> [String] {
        (get[path] == nil ? [] : ["GET", "HEAD"]) + (post[path] == nil ? [] : ["POST"])
    }
}
