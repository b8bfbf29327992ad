public import VoiceAudioCore

// The blocking calls for async code: each runs on a thread of its own for as long as it takes, so that no thread of the
// concurrency pool blocks. A call that has begun goes on to its own deadline; cancelling the task does not cut it short.
// `cleanup()` has no such form: an async overload would keep `defer { processor.cleanup() }` out of async functions.
extension AudioProcessor {
    /// As the blocking `arm()`, without blocking the caller's thread.
    public func arm(deadline: Duration = .seconds(5)) async throws(AudioError) {
        try await onThreadOfItsOwn { () throws(AudioError) in try self.arm(deadline: deadline) }
    }

    /// As the blocking `start()`, without blocking the caller's thread.
    public func start(preRoll: Duration = .zero, deadline: Duration = .seconds(5)) async throws(AudioError) {
        try await onThreadOfItsOwn { () throws(AudioError) in try self.start(preRoll: preRoll, deadline: deadline) }
    }

    /// As the blocking `stop()`, without blocking the caller's thread.
    public func stop(deadline: Duration? = nil) async throws(AudioError) -> Recording {
        try await onThreadOfItsOwn { () throws(AudioError) in try self.stop(deadline: deadline) }
    }

    /// Captures until the task is cancelled or the capture ends, then cleans up: swift-service-lifecycle's `Service`.
    ///
    /// Arms where the processor is idle; one that is armed or records already goes on.
    ///
    /// - Throws: ``AudioError`` with what opening failed with, or what the capture died of. Cancellation is no error.
    public func run() async throws {
        do throws(AudioError) {
            if state == .idle { try await arm() }
            try await waitForEndOrCancellation()
        } catch {
            await cleanupOnThreadOfItsOwn()
            throw error
        }
        let failure = if case .failed(let error) = state { error } else { AudioError?.none }
        await cleanupOnThreadOfItsOwn()
        if let failure { throw failure }
    }

    private func cleanupOnThreadOfItsOwn() async {
        do throws(AudioError) { try await onThreadOfItsOwn { self.cleanup() } } catch { cleanup() }
    }

    private func waitForEndOrCancellation() async throws(AudioError) {
        let notifier = try DescriptorNotifier.running()
        while let capture = runningCapture, !Task.isCancelled {
            let hasEnded = await notifier.waitUntilReadable(capture.endDescriptor)
            guard hasEnded || Task.isCancelled else {
                throw AudioError(
                    .outOfResources, "the capture's end cannot be watched: is the limit of descriptors reached?")
            }
            let patience = configuration.stopTimeout
            let isKnown = try await onThreadOfItsOwn {
                self.waitForSuccessor(by: self.clock.now.advanced(by: patience))
            }
            if isKnown, capture === runningCapture { return }
        }
    }
}
