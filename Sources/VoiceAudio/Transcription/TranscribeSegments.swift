public import VoiceAudioCore
import VoiceAudioIO
public import VoiceAudioMemory

/// Transcribes segments, several at once, and hands over a result for each, in their order.
///
/// A segment that fails costs the others nothing: its result has the error. While `monitor` refuses memory for the next
/// segment, none is begun, nor one tried again; how many are worked on at once follows
/// the monitor's `recommendedBatchSize(normal:itemBytes:)`, asked again whenever one has ended.
///
/// Segments are taken from the sequence when their turn comes. Results that wait for an earlier one are bounded: no segment
/// is begun that is more than four times ``SegmentOptions/concurrency`` ahead of the oldest without a result.
///
/// ```swift
/// try await transcribeSegments(segments, using: whisper, language: "de", monitor: monitor) { try collector.append($0) }
/// ```
///
/// - Parameters:
///   - segments: The segments, in their order.
///   - transcriber: Makes the text.
///   - language: A language tag; `nil` leaves it to the transcriber.
///   - options: Attempts, concurrency, pauses, what is accepted.
///   - monitor: Says what memory allows; `nil` is always plenty.
///   - clock: Delays and pauses go by it.
///   - deliver: Gets each result, in order.
/// - Throws: What `deliver` throws; ``AudioError`` with code `invalidConfiguration`, or `cancelled`. Whatever is thrown, no
///   segment is worked on any more.
///
/// > Concurrency: `deliver` is called by this call's task, one result at a time.
public func transcribeSegments(
    _ segments: some Sequence<TranscriptionSegment>, using transcriber: some Transcriber, language: String? = nil,
    options: SegmentOptions = SegmentOptions(), monitor: MemoryPressureMonitor? = nil,
    clock: any AudioClock = SystemClock(), deliver: (SegmentResult) throws -> Void
) async throws {
    let work = SegmentWork(transcriber: transcriber, language: language, options: options, clock: clock)
    try await work.run(segments, pacing: monitor, deliver: deliver)
}

/// As ``transcribeSegments(_:using:language:options:monitor:clock:deliver:)``, with all results at once: for as many as memory
/// can hold.
public func transcribeSegments(
    _ segments: some Sequence<TranscriptionSegment>, using transcriber: some Transcriber, language: String? = nil,
    options: SegmentOptions = SegmentOptions(), monitor: MemoryPressureMonitor? = nil,
    clock: any AudioClock = SystemClock()
) async throws -> [SegmentResult] {
    var results: [SegmentResult] = []
    try await transcribeSegments(
        segments, using: transcriber, language: language, options: options, monitor: monitor, clock: clock
    ) { results.append($0) }
    return results
}

extension AudioError.Code {
    /// Memory was too short for too long.
    public static let memoryPressure = Self(rawValue: "memoryPressure")
}
