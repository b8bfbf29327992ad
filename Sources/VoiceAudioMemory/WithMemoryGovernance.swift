import VoiceAudioCore

/// Runs `body` with memory watched and its results bounded, and cleans up after it whatever happens.
///
/// ```swift
/// let summary = try withMemoryGovernance(of: Transcript.self) { monitor, results in
///     for segment in segments {
///         guard monitor.canProceed("transcription", estimatedBytes: segment.estimate).isAllowed else { break }
///         try results.append(transcribe(segment))
///     }
///     return summarise(results)
/// }
/// ```
///
/// Before `body` the monitor is started. Afterwards, whether `body` returned or threw, it is stopped and all clean-up handlers
/// are called, for each stage up to ``MemoryCleanupStage/emergency``. The results are gone by then; where `body` has let
/// somebody keep the collector, they are on disk and take no memory, and can be read from there.
///
/// - Parameters:
///   - type: What the results are.
///   - budget: The most memory for them.
///   - node: A budget that their memory is taken from besides.
///   - spill: Where they go that memory has no room for.
///   - monitor: What watches the memory; it serves no other purpose meanwhile, as it is stopped at the end.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws; ``AudioError`` with code `outOfResources` where the monitor cannot be started.
///
/// > Concurrency: Safe from any thread. At the end it waits for clean-up handlers, for each no longer than its slot.
public func withMemoryGovernance<Element: Codable & Sendable, Value>(
    of type: Element.Type = Element.self, budget: ResultBudget = .percentOfAvailable(20),
    in node: MemoryBudget? = nil, spill: ResultSpill = ResultSpill(),
    monitor: MemoryPressureMonitor = MemoryPressureMonitor(),
    _ body: (_ monitor: MemoryPressureMonitor, _ results: ResultCollector<Element>) throws -> Value
) throws -> Value {
    // Before anything that writes results to disk, those that nobody has kept are gone with the call.
    defer { endGovernance(monitor) }
    try monitor.start()
    return try body(monitor, ResultCollector(budget: budget, in: node, monitor: monitor, spill: spill))
}

/// As the form without `async`, for a body that waits: Swift takes that one where the body has no `await`. A cancelled task
/// cleans up as well, once `body` has returned.
///
/// > Concurrency: The body runs where the caller does; what ends it runs on a thread of its own, for which it is waited.
public func withMemoryGovernance<Element: Codable & Sendable, Value>(
    of type: Element.Type = Element.self, budget: ResultBudget = .percentOfAvailable(20),
    in node: MemoryBudget? = nil, spill: ResultSpill = ResultSpill(),
    monitor: MemoryPressureMonitor = MemoryPressureMonitor(),
    _ body: (_ monitor: MemoryPressureMonitor, _ results: ResultCollector<Element>) async throws -> Value
) async throws -> Value {
    try monitor.start()
    let value: Value
    do {
        value = try await body(
            monitor, ResultCollector(budget: budget, in: node, monitor: monitor, spill: spill))
    } catch {
        await endGovernanceOffThePool(monitor)
        throw error
    }
    await endGovernanceOffThePool(monitor)
    return value
}

private func endGovernanceOffThePool(_ monitor: MemoryPressureMonitor) async {
    do throws(AudioError) {
        try await onThreadOfItsOwn { endGovernance(monitor) }
    } catch {
        // No thread can be had: it is late for being considerate.
        endGovernance(monitor)
    }
}

private func endGovernance(_ monitor: MemoryPressureMonitor) {
    monitor.stop()
    monitor.cleanUp(.emergency)
}
