/// Runs a blocking call of async code on a thread that lives as long as the call, so that no thread of the concurrency pool
/// blocks.
///
/// - Throws: What the call throws; `outOfResources` where no thread can be had.
package func onThreadOfItsOwn<Value: Sendable>(
    _ body: @escaping @Sendable () throws(AudioError) -> Value
) async throws(AudioError) -> Value {
    let result: Result<Value, AudioError> = await withCheckedContinuation { continuation in
        do throws(AudioError) {
            _ = try WorkerThread(name: "va-call") {
                do throws(AudioError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        } catch {
            continuation.resume(returning: .failure(error))
        }
    }
    return try result.get()
}
