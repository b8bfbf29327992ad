/// What clients may take, together and each.
struct MonitorLimits: Sendable {
    /// Connections at a time. Not by client: those of one machine look alike, and on the loopback all do.
    var connections = 64
    /// Memory of a connection, in bytes, which the headers of a request have to fit in.
    var connectionBytes = 16 << 10
    /// Bytes of a request's body, which nothing here needs.
    var bodyBytes = 1 << 10
    /// From the connection, or the response before, to the end of a request's headers; and then to that of the response.
    var exchangeTime = Duration.seconds(10)
    /// How long a connection may keep its place without a request while others wait for one.
    var graceTime = Duration.milliseconds(100)
    /// The same with a response that its client does not take.
    var takingTime = Duration.seconds(1)
    /// Listeners to events at a time.
    var listeners = 8
    /// Between two blocks of events.
    var eventInterval = Duration.milliseconds(100)
    /// Between two signs of life where there are no events.
    var keepAliveInterval = Duration.seconds(15)
    /// How long a listener may take nothing before it is cut off.
    var listenerTime = Duration.seconds(30)
}
