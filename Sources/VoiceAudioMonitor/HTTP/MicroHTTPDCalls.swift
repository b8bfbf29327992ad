import CMicroHTTPD
import VoiceAudioCore

/// What a daemon tells and asks, on the thread that runs it, and only within its calls.
protocol HTTPDaemonUser: AnyObject {
    /// The connection is over; its descriptor is closed next.
    func connectionEnded(_ descriptor: Int32)
    /// The headers of a request are there. Who sends a response now refuses the body.
    func headersCame(of exchange: HTTPExchange)
    /// All of a request is there, or an exchange that was suspended goes on: send a response, or suspend it.
    func requestIsComplete(_ exchange: HTTPExchange)
    /// The response was sent, or the connection broke.
    func exchangeEnded(_ exchange: HTTPExchange)
    /// What the library would print.
    func libraryLogged(_ message: String)
}

/// Bytes that come as time goes by.
protocol HTTPStream: AnyObject {
    /// Up to `count` bytes that are there; none suspends the exchange until it is resumed.
    func next(atMost count: Int) -> ArraySlice<UInt8>
}

/// A libmicrohttpd daemon that is handed its connections, and runs when it is told to.
///
/// > Concurrency: One thread at a time.
@safe
final class HTTPDaemon {
    weak var user: (any HTTPDaemonUser)?
    // SAFETY: made in init, freed in deinit after the daemon was stopped, which alone reads it.
    private let callbacks: UnsafeMutablePointer<cmicrohttpd_user>
    // SAFETY: started in init, stopped once.
    private var daemon: OpaquePointer?

    /// - Parameters:
    ///   - connectionLimit: Connections that it holds at most.
    ///   - connectionBytes: Memory for each, which its headers have to fit in.
    /// - Throws: `outOfResources`.
    init(connectionLimit: Int, connectionBytes: Int) throws(AudioError) {
        // SAFETY: the daemon calls these only while it is run, by a method of this object; which is therefore there.
        unsafe callbacks = .allocate(capacity: 1)
        unsafe callbacks.initialize(
            to: cmicrohttpd_user(
                context: nil, log: noteMessage, handle: handleRequest, completed: noteCompletion,
                connected: noteConnection))
        unsafe callbacks.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        unsafe daemon = cmicrohttpd_start(callbacks, UInt32(connectionLimit), connectionBytes)
        guard unsafe daemon != nil else {
            throw AudioError(
                .outOfResources, "libmicrohttpd could not be started: is the limit of descriptors reached?")
        }
    }

    deinit {
        stop()
        // SAFETY: as the daemon is no more, nobody reads it.
        unsafe callbacks.deallocate()
    }

    /// Readable when it is to be run.
    var descriptor: Int32 {
        // SAFETY: the daemon is there until it is stopped.
        unsafe daemon.map { unsafe cmicrohttpd_epoll_descriptor($0) } ?? -1
    }

    /// Whether it is to be run although its descriptor says nothing.
    var isDue: Bool {
        var milliseconds: UInt64 = 1
        // SAFETY: as above; the call fills a local.
        guard let daemon = unsafe daemon, unsafe MHD_get_timeout(daemon, &milliseconds) == CMICROHTTPD_YES else {
            return false
        }
        return milliseconds == 0
    }

    /// Takes over a connection, and closes it at its end, or at once if that fails.
    func add(_ descriptor: Int32) -> Bool {
        // SAFETY: as above.
        guard let daemon = unsafe daemon else { return false }
        return unsafe cmicrohttpd_add(daemon, descriptor) == CMICROHTTPD_YES
    }

    /// Reads, calls and writes whatever can be at this moment.
    func run() {
        // SAFETY: as above.
        if let daemon = unsafe daemon { _ = unsafe MHD_run(daemon) }
    }

    /// Ends all connections, none of which may be suspended. A second call does nothing.
    func stop() {
        // SAFETY: as above, and no more from here on.
        guard let daemon = unsafe daemon else { return }
        unsafe MHD_stop_daemon(daemon)
        unsafe self.daemon = nil
    }
}

/// One request, and what becomes of it.
///
/// > Concurrency: The daemon's thread only.
@safe
final class HTTPExchange {
    let request: MonitorRequest
    /// The connection's, for as long as the exchange lasts.
    let descriptor: Int32
    private(set) var isSuspended = false
    private(set) var isAnswered = false
    /// What to answer once it goes on.
    var response: MonitorResponse?
    fileprivate var hasFailed = false
    // SAFETY: valid until the daemon tells of the exchange's end; nobody calls the methods below after that.
    private let connection: OpaquePointer

    fileprivate init(_ connection: OpaquePointer, _ request: MonitorRequest) {
        // SAFETY: the daemon calls with a connection that is there.
        unsafe self.connection = connection
        self.request = request
        descriptor = unsafe cmicrohttpd_connection_descriptor(connection)
    }

    /// Leaves it until it is resumed.
    func suspend() {
        guard !isSuspended else { return }
        isSuspended = true
        // SAFETY: see above.
        unsafe MHD_suspend_connection(connection)
    }

    /// Goes on with it the next time the daemon runs.
    func resume() {
        guard isSuspended else { return }
        isSuspended = false
        // SAFETY: see above.
        unsafe MHD_resume_connection(connection)
    }

    /// Answers; without the body where only the head was asked for.
    func send(_ response: MonitorResponse) {
        // SAFETY: the body is copied within the call.
        let made = unsafe response.body.withUnsafeBytes { bytes in
            unsafe MHD_create_response_from_buffer(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), CMICROHTTPD_COPIED)
        }
        unsafe queue(made, as: response)
    }

    /// Answers with what `stream` has, without end, and with the head of `response`.
    func send(_ stream: any HTTPStream, as response: MonitorResponse) {
        // SAFETY: the context is retained for the response, which gives it back by `freeStream`.
        let context = unsafe Unmanaged.passRetained(StreamContext(stream, of: self)).toOpaque()
        let made = unsafe MHD_create_response_from_callback(UInt64.max, 4096, readStream, context, freeStream)
        if unsafe made == nil { unsafe freeStream(context) }
        unsafe queue(made, as: response)
    }

    private func queue(_ made: OpaquePointer?, as response: MonitorResponse) {
        isAnswered = true
        // SAFETY: the response is ours until it is destroyed, the connection's until it is sent; strings are copied.
        guard let made = unsafe made else {
            hasFailed = true
            return
        }
        for (name, value) in response.allHeaders { _ = unsafe MHD_add_response_header(made, name, value) }
        hasFailed = unsafe MHD_queue_response(connection, UInt32(response.status), made) != CMICROHTTPD_YES
        unsafe MHD_destroy_response(made)
    }
}

/// What a streaming response is made of.
private final class StreamContext {
    let stream: any HTTPStream
    weak let exchange: HTTPExchange?

    init(_ stream: any HTTPStream, of exchange: HTTPExchange) {
        self.stream = stream
        self.exchange = exchange
    }
}

// The callbacks. Functions, as closures written in isolated code trap on another thread.
//
// SAFETY: contexts are what was given with the callbacks, and alive: a daemon's object runs it, an exchange was retained for
// its connection when its headers came, a stream's context for its response. Strings and sizes are valid for the call.

private func daemon(_ context: UnsafeMutableRawPointer?) -> HTTPDaemon {
    unsafe Unmanaged<HTTPDaemon>.fromOpaque(context!).takeUnretainedValue()
}

private func noteMessage(_ context: UnsafeMutableRawPointer?, _ message: UnsafePointer<CChar>?) {
    guard let message = unsafe message else { return }
    unsafe daemon(context).user?.libraryLogged(String(cString: message))
}

private func noteConnection(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ socketContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ what: MHD_ConnectionNotificationCode
) {
    guard what == CMICROHTTPD_CLOSED, let connection = unsafe connection else { return }
    unsafe daemon(context).user?.connectionEnded(cmicrohttpd_connection_descriptor(connection))
}

private func handleRequest(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ body: UnsafePointer<CChar>?,
    _ bodyCount: UnsafeMutablePointer<Int>?, _ exchangeContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let connection = unsafe connection, let path = unsafe path, let method = unsafe method,
        let bodyCount = unsafe bodyCount, let exchangeContext = unsafe exchangeContext
    else { return CMICROHTTPD_NO }
    let user = unsafe daemon(context).user
    let exchange: HTTPExchange
    if let known = unsafe exchangeContext.pointee {
        exchange = unsafe Unmanaged<HTTPExchange>.fromOpaque(known).takeUnretainedValue()
        if unsafe bodyCount.pointee > 0 {
            // Read, and not looked at.
            unsafe bodyCount.pointee = 0
            return CMICROHTTPD_YES
        }
        user?.requestIsComplete(exchange)
    } else {
        let request = unsafe MonitorRequest(
            method: String(cString: method), path: String(cString: path),
            query: values(of: connection, CMICROHTTPD_ARGUMENTS),
            headers: values(of: connection, CMICROHTTPD_HEADERS))
        exchange = unsafe HTTPExchange(connection, request)
        unsafe exchangeContext.pointee = Unmanaged.passRetained(exchange).toOpaque()
        user?.headersCame(of: exchange)
    }
    return exchange.hasFailed ? CMICROHTTPD_NO : CMICROHTTPD_YES
}

private func noteCompletion(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ exchangeContext: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ how: MHD_RequestTerminationCode
) {
    guard let known = unsafe exchangeContext?.pointee else { return }
    unsafe exchangeContext?.pointee = nil
    unsafe daemon(context).user?.exchangeEnded(Unmanaged<HTTPExchange>.fromOpaque(known).takeRetainedValue())
}

private func readStream(
    _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ room: UnsafeMutablePointer<CChar>?, _ count: Int
) -> Int {
    let context = unsafe Unmanaged<StreamContext>.fromOpaque(context!).takeUnretainedValue()
    guard let exchange = context.exchange else { return -1 }
    let bytes = context.stream.next(atMost: count)
    guard !bytes.isEmpty else {
        exchange.suspend()
        return 0
    }
    unsafe bytes.withUnsafeBytes { bytes in
        unsafe UnsafeMutableRawBufferPointer(start: room, count: count).copyMemory(from: bytes)
    }
    return bytes.count
}

private func freeStream(_ context: UnsafeMutableRawPointer?) {
    unsafe Unmanaged<StreamContext>.fromOpaque(context!).release()
}

/// Values by name: of headers in small letters.
private func values(of connection: OpaquePointer, _ kind: MHD_ValueKind) -> [String: String] {
    let values = Values(lowercasesNames: kind == CMICROHTTPD_HEADERS)
    _ = unsafe MHD_get_connection_values(connection, kind, noteValue, Unmanaged.passUnretained(values).toOpaque())
    return values.byName
}

private final class Values {
    let lowercasesNames: Bool
    var byName: [String: String] = [:]

    init(lowercasesNames: Bool) { self.lowercasesNames = lowercasesNames }
}

private func noteValue(
    _ context: UnsafeMutableRawPointer?, _ kind: MHD_ValueKind, _ name: UnsafePointer<CChar>?,
    _ value: UnsafePointer<CChar>?
) -> MHD_Result {
    guard let name = unsafe name else { return CMICROHTTPD_YES }
    let values = unsafe Unmanaged<Values>.fromOpaque(context!).takeUnretainedValue()
    let text = unsafe String(cString: name)
    let key = values.lowercasesNames ? text.lowercased() : text
    let value = unsafe value.map { unsafe String(cString: $0) } ?? ""
    values.byName[key] = values.byName[key].map { "\($0), \(value)" } ?? value
    return CMICROHTTPD_YES
}
