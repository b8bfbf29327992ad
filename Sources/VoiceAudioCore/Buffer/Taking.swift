// What both the plain methods and the consumer's end do.
extension BoundedAudioBuffer {
    /// Lends the oldest chunk and leaves it there; `nil` where there is none.
    func lendOldest<Result, Failure: Error>(
        _ body: (AudioChunkHeader, RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard case .chunk(let position) = ring.claim() else { return nil }
        defer { ring.unclaim(position) }
        return try ring.withBytes(of: position, body)
    }

    /// Lends the oldest chunk, then takes it out; `nil` where there is none. It stays if `body` throws.
    func takeOldest<Result, Failure: Error>(
        _ body: (AudioChunkHeader, RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard case .chunk(let position) = ring.claim() else { return nil }
        let result: Result
        do throws(Failure) {
            result = try ring.withBytes(of: position, body)
        } catch {
            ring.unclaim(position)
            throw error
        }
        if ring.release(position) { ring.waiting.signalRoom() }
        releasePagesOnTheWay()
        return result
    }

    /// Takes all chunks out that are there now.
    func takeAll() -> [AudioChunk] {
        var chunks: [AudioChunk] = []
        let count = count
        chunks.reserveCapacity(count)
        while chunks.count < count, let chunk = takeOldest(AudioChunk.init(header:copying:)) { chunks.append(chunk) }
        return chunks
    }
}
