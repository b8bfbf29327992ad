// Clean-ups that are not waited for the pressure to ask for.
extension MemoryPressureMonitor {
    /// Has `handler` called no more; a call under way goes on. One that is gone needs no such thing.
    public func deregister(_ handler: any MemoryCleanupHandler) { core.cleanup.deregister(handler) }

    /// Has all handlers give memory back, whatever the pressure, and waits for it.
    ///
    /// Every stage up to `stage` is run. A handler that another clean-up is calling at this moment is not called, and
    /// reported as ``MemoryCleanupReport/Outcome/stillBusy``. It may be called from within a handler.
    ///
    /// - Returns: Which handlers were called, and what came of it.
    /// - Complexity: As long as the handlers take, each its slot at most in each stage.
    ///
    /// > Concurrency: Safe from any thread, on which it blocks. Handlers run on threads of their own.
    @discardableResult
    public func cleanUp(_ stage: MemoryCleanupStage) -> MemoryCleanupReport { core.cleanUp(stage) }

    /// The same; once there is no time left, no more handlers are called.
    package func cleanUp(_ stage: MemoryCleanupStage, isTimeLeft: () -> Bool) -> MemoryCleanupReport {
        core.cleanUp(stage, isTimeLeft: isTimeLeft)
    }
}
