/// Waits for a descriptor again and again in async code, and keeps the notifier running and watching it in between.
package struct DescriptorWait: Sendable {
    private var notifier: DescriptorNotifier?
    /// Of the descriptor that was waited for last.
    private var watch: DescriptorWatch?

    package init() {}

    /// Waits until `descriptor` is readable, or the task is cancelled.
    ///
    /// - Parameters:
    ///   - descriptor: Of a file that is not closed while this exists.
    ///   - what: Begins the sentence of the error: "the health".
    /// - Returns: Whether it is readable; `false` where the task was cancelled.
    /// - Throws: `outOfResources`; `cancelled` where ``ThreadSupervisor`` stopped all threads and it is not readable.
    package mutating func untilReadable(_ descriptor: Int32, of what: String) async throws(AudioError) -> Bool {
        let notifier = if let running = self.notifier { running } else { try DescriptorNotifier.running() }
        self.notifier = notifier
        // A copy of this value may be at a wait with the same one.
        if watch?.descriptor != descriptor || !isKnownUniquelyReferenced(&watch) {
            watch = DescriptorWatch(descriptor, by: notifier)
        }
        if await watch?.untilReadable() ?? false { return true }
        if notifier.wasStopped {
            // The next wait begins with another one.
            self.notifier = nil
            watch = nil
            // What came before the stop is told.
            if Self.isReadable(descriptor) { return true }
            throw AudioError(.cancelled, "\(what) is not watched any more: the library's threads were stopped")
        }
        guard Task.isCancelled else {
            throw AudioError(
                .outOfResources, "\(what) cannot be watched: is the limit of descriptors or watches reached?")
        }
        return false
    }

    private static func isReadable(_ descriptor: Int32) -> Bool {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(descriptor, at: 0)
        return descriptors.poll(nanoseconds: 0) > 0
    }
}
