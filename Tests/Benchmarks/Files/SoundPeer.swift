import Measuring

/// libsndfile and plain system calls, in C.
struct SoundPeer {
    private typealias Write =
        @convention(c) (UnsafePointer<CChar>, CInt, CInt, UnsafePointer<Int16>, CLong, CLong, CInt) -> CInt
    private typealias Compare = @convention(c) (UnsafePointer<CChar>, UnsafePointer<Int16>, CLong) -> CInt
    private typealias WriteTemporary =
        @convention(c) (UnsafePointer<CChar>, CInt, UnsafeRawPointer, UnsafeRawPointer, CLong) -> CInt

    private let write: Write
    private let compare: Compare
    private let writeTemporary: WriteTemporary

    init(in peers: String?) throws(Missing) {
        let module = try PeerModule("sound-files.so", in: peers)
        write = module.function("sound_write", as: Write.self)
        compare = module.function("sound_compare", as: Compare.self)
        writeTemporary = module.function("temporary_write", as: WriteTemporary.self)
    }

    /// - Parameter withCare: With a header that is right after each block, and synced.
    func write(_ path: String, isFLAC: Bool, _ samples: [Int16], withCare: Bool) {
        let status = write(
            path, isFLAC ? 1 : 0, CInt(Sound.format.sampleRateHz), samples, samples.count, Sound.blockFrameCount,
            withCare ? 1 : 0)
        guard status == 0 else { fatalError("libsndfile cannot write \(path)") }
    }

    /// Ends the program where the file has other samples.
    func check(_ path: String, _ samples: [Int16]) {
        guard compare(path, samples, samples.count) == 0 else { fatalError("\(path) is not what was written") }
    }

    func writeTemporary(in directory: String, isNamed: Bool, header: [UInt8], _ samples: [Int16]) {
        guard writeTemporary(directory, isNamed ? 1 : 0, header, samples, samples.count * 2) == 0 else {
            fatalError("a temporary file cannot be written in \(directory)")
        }
    }
}
