extension ResultBlock {
    /// Where a result lies in its block, and what its bytes amount to.
    struct Entry {
        private let offset: UInt32
        private let count: UInt32
        private let checksum: UInt64

        /// One that fits no result.
        static let none = Entry(offset: 0, count: 0, checksum: 0)

        static let byteCount = MemoryLayout<Entry>.stride

        private init(offset: UInt32, count: UInt32, checksum: UInt64) {
            self.offset = offset
            self.count = count
            self.checksum = checksum
        }

        /// - Parameter index: The result's number.
        init(of bytes: UnsafeRawBufferPointer, at offset: Int, index: Int) {
            self.offset = UInt32(offset)
            count = UInt32(bytes.count)
            // SAFETY: the caller's buffer, for the call.
            checksum = unsafe Self.checksum(of: bytes, index: index)
        }

        /// Where the bytes are; `nil` where there are no such bytes.
        func range(within byteCount: Int) -> Range<Int>? {
            let end = Int(offset) + Int(count)
            return end <= byteCount ? Int(offset)..<end : nil
        }

        /// Whether `bytes` are what was put in as result `index`.
        func isSound(_ bytes: UnsafeRawBufferPointer, index: Int) -> Bool {
            // SAFETY: the caller's buffer, for the call.
            unsafe Self.checksum(of: bytes, index: index) == checksum
        }

        /// Each step can be undone, so that no damage within one word of eight bytes goes unseen; other damage does once in
        /// 2⁶⁴. With the number and the count, bytes from another place are damage, too.
        ///
        /// Not a CRC: that takes a table or a C library. Four sums side by side, as a processor works at several products
        /// at once: a third of the time that one takes.
        private static func checksum(of bytes: UnsafeRawBufferPointer, index: Int) -> UInt64 {
            // Not the number itself: zeros are no result 0.
            var sums = (~UInt64(index), UInt64(bytes.count), UInt64(0), UInt64(0))
            var offset = 0
            while offset + 32 <= bytes.count {
                // SAFETY: 32 bytes from `offset` are there.
                unsafe sums.0 = mix(sums.0, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                unsafe sums.1 = mix(sums.1, bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
                unsafe sums.2 = mix(sums.2, bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
                unsafe sums.3 = mix(sums.3, bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
                offset += 32
            }
            var sum = mix(mix(mix(sums.0, sums.1), sums.2), sums.3)
            while offset < bytes.count {
                // SAFETY: there is a byte at `offset`.
                sum = unsafe mix(sum, UInt64(bytes[offset]))
                offset += 1
            }
            return mix(sum, 0)
        }

        private static func mix(_ sum: UInt64, _ word: UInt64) -> UInt64 {
            let product = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
            return product ^ product >> 32
        }
    }
}
