// What both the plain methods and the producer's end do: admit, wait if the policy says so, put in, wake.
extension BoundedAudioBuffer {
    /// Appends a chunk by copying it: admission, place, copy, publication.
    ///
    /// - Parameter interrupt: A descriptor that ends a blocking wait early when readable.
    func store(_ bytes: RawSpan, captureTime: MonotonicInstant, interrupt: Int32 = -1) -> AppendResult {
        // SAFETY: the span is valid for the length of the call.
        unsafe bytes.withUnsafeBytes { bytes in
            let admission = admit(bytes.count, interrupt: interrupt)
            return finish(unsafe ring.copyIn(bytes, captureTime: captureTime, admission: admission))
        }
    }

    /// Admits a chunk, waiting for room where the policy says so.
    ///
    /// - Parameter interrupt: A descriptor that ends the wait early when readable.
    func admit(_ byteCount: Int, interrupt: Int32) -> Ring.Admission {
        let admission = ring.admit(byteCount)
        guard case .mustWait = admission else { return admission }
        return admitWaiting(byteCount, interrupt: interrupt)
    }

    /// Tells the world of the outcome: wakes who waits. The only step that may make a system call.
    func finish(_ outcome: Ring.Outcome) -> AppendResult {
        switch outcome {
        case .stored(let evicted, let wakesConsumers):
            if wakesConsumers { wakeConsumers() }
            return evicted == 0 ? .stored : .storedAfterEvicting(evicted)
        case .refused(let reason): return .refused(reason)
        }
    }
}
