/// Holds a value that an ``AudioObjectTracker`` counts until this box goes, which it notices at once.
///
/// > Concurrency: As safe as the value.
public final class TrackedAudio<Value> {
    /// What it holds.
    public let value: Value
    private let number: Int
    private let tracker: AudioObjectTracker

    init(_ value: Value, number: Int, in tracker: AudioObjectTracker) {
        self.value = value
        self.number = number
        self.tracker = tracker
    }

    deinit { tracker.end(number) }
}

extension TrackedAudio: Sendable where Value: Sendable {}

/// Lends `body` a value that `tracker` counts meanwhile: no more, as soon as `body` returns or throws.
///
/// The value is held no longer than that. A copy that someone kept is not counted.
///
/// - Parameters:
///   - value: Samples, a buffer, anything.
///   - byteCount: Bytes of memory that go with it, 0 to 2⁴⁰.
///   - owner: Who has it, for totals: "call-17".
///   - tracker: What counts it.
///   - file: Where it is tracked, for reports.
///   - line: Where it is tracked, for reports.
///   - body: Gets the value.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws; before it runs, ``AudioError`` with code `budgetExceeded`, `limitReached` or
///   `invalidConfiguration`, and `invalidState` in a fork.
public func withTrackedAudio<Value, Result: ~Copyable>(
    _ value: consuming Value, byteCount: Int, owner: String, in tracker: AudioObjectTracker,
    file: StaticString = #fileID, line: Int = #line, _ body: (Value) throws -> Result
) throws -> Result {
    let number = try tracker.begin(Value.self, byteCount, owner, file, line)
    defer { tracker.end(number) }
    return try body(value)
}

/// As `withTrackedAudio`, for a body that suspends. Where the task is cancelled, it is up to `body` to return.
public func withTrackedAudio<Value, Result: ~Copyable>(
    _ value: consuming Value, byteCount: Int, owner: String, in tracker: AudioObjectTracker,
    file: StaticString = #fileID, line: Int = #line, _ body: (Value) async throws -> Result
) async throws -> Result {
    let number = try tracker.begin(Value.self, byteCount, owner, file, line)
    defer { tracker.end(number) }
    return try await body(value)
}
