import VoiceAudioCore

extension AudioClock {
    /// Waits without blocking the caller's thread, on a thread of its own; shorter where the task is cancelled.
    ///
    /// While there is no thread or descriptor to be had, it blocks for moments: a lack that passes ends nothing.
    func sleep(for duration: Duration) async {
        let deadline = now.advanced(by: duration)
        while now < deadline && !Task.isCancelled {
            do throws(AudioError) {
                try await sleepOnThread(until: deadline)
            } catch {
                // Not `Task.sleep`: that needs a descriptor, too.
                let clock = SystemClock()
                _ = clock.wait(for: DescriptorSet(count: 0), until: clock.now.advanced(by: .milliseconds(10)))
                await Task.yield()
            }
        }
    }

    /// - Throws: `outOfResources`.
    private func sleepOnThread(until deadline: MonotonicInstant) async throws(AudioError) {
        let cancelled = try WakeUp()
        let result: Result<Void, AudioError> = await withTaskCancellationHandler {
            do throws(AudioError) {
                try await onThreadOfItsOwn {
                    var descriptors = DescriptorSet(count: 1)
                    descriptors.watch(cancelled.descriptor, at: 0)
                    while self.wait(for: descriptors, until: deadline) == 0 && self.now < deadline {}
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            cancelled.signal()
        }
        try result.get()
    }
}
