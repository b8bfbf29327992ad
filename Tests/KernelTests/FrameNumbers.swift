import CFrameNumbers

/// The numbers that a microphone of the guest gave its frames.
struct FrameNumbers {
    private let bytes: ArraySlice<UInt8>
    private let frameBytes: Int

    init(_ bytes: [UInt8], frameBytes: Int = 4) { self.init(bytes[...], frameBytes: frameBytes) }

    init(_ bytes: ArraySlice<UInt8>, frameBytes: Int = 4) {
        self.bytes = bytes
        self.frameBytes = frameBytes
    }

    /// Frames of four bytes for others to play, numbered from 1 on.
    static func frames(count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 4 * count) { bytes, byteCount in
            // SAFETY: room for as many.
            unsafe frame_numbers_fill(bytes.baseAddress, count)
            byteCount = 4 * count
        }
    }

    var count: Int { bytes.count / frameBytes }
    var first: Int? { count > 0 ? self[0] : nil }
    var last: Int? { count > 0 ? self[count - 1] : nil }

    subscript(index: Int) -> Int {
        precondition(index >= 0 && index < count)
        // SAFETY: the frame is one of those there.
        return unsafe bytes.withUnsafeBufferPointer { Int(unsafe frame_number($0.baseAddress, frameBytes, index)) }
    }

    /// Where numbers are missing: frames before the place, and frames missing. Negative where frames came again.
    var gaps: [(index: Int, frames: Int)] {
        var gaps: [(index: Int, frames: Int)] = []
        var index = 0
        while true {
            // SAFETY: all the frames are there.
            index = unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe frame_number_gap(bytes.baseAddress, frameBytes, count, index + 1)
            }
            guard index < count else { return gaps }
            gaps.append((index, self[index] - self[index - 1] - 1))
        }
    }
}
