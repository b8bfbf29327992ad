/// Waits for one descriptor after the other in async code, and keeps the notifier running in between.
package struct DescriptorWait: Sendable {
    private var notifier: DescriptorNotifier?

    package init() {}

    /// Waits until `descriptor` is readable, or the task is cancelled.
    ///
    /// - Parameter what: Begins the sentence of the error: "the health".
    /// - Returns: Whether it is readable; `false` where the task was cancelled.
    /// - Throws: `outOfResources`.
    package mutating func untilReadable(_ descriptor: Int32, of what: String) async throws(AudioError) -> Bool {
        let notifier = if let running = self.notifier { running } else { try DescriptorNotifier.running() }
        self.notifier = notifier
        if await notifier.waitUntilReadable(descriptor) { return true }
        guard Task.isCancelled else {
            throw AudioError(
                .outOfResources, "\(what) cannot be watched: is the limit of descriptors or watches reached?")
        }
        return false
    }
}
