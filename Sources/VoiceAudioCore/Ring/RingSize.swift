extension Ring {
    /// Bytes that a ring's samples need: of whole chunks where their size is known, and one more that is being filled.
    static func sampleBytes(maxChunks: Int, maxBytes: Int, chunkLimit: Int) -> Int {
        guard chunkLimit > 0 else { return maxBytes }
        let (wholeChunks, isTooMuch) = maxChunks.multipliedReportingOverflow(by: chunkLimit)
        return (isTooMuch ? maxBytes : min(maxBytes, wholeChunks)) + chunkLimit
    }
}

extension BoundedAudioBuffer {
    /// The ``allocatedBytes`` that a ring of such caps will have.
    package static func allocatedBytes(maxChunks: Int, maxBytes: Int, maxChunkBytes: Int) -> Int {
        let samples = Ring.sampleBytes(maxChunks: maxChunks, maxBytes: maxBytes, chunkLimit: maxChunkBytes)
        return RingMemory.roundedUpToPages(samples)
            + RingMemory.roundedUpToPages(maxChunks * MemoryLayout<ChunkDescriptor>.stride)
    }
}
