import CPeers
import Measuring

/// The ring of somebody else, in a module that `Scripts/bench` has made.
public final class PeerRing: TestedRing {
    /// The modules and what they are, in the order of the tables.
    public static let all = [
        (module: "jack-ring", name: "JACK"), (module: "portaudio-ring", name: "PortAudio"),
        (module: "boost-ring", name: "boost::lockfree"),
    ]

    public let name: String
    private let peer: ring_peer
    private let ring: UnsafeMutableRawPointer
    // One for each thread.
    private let produced: UnsafeMutableBufferPointer<UInt64>
    private let consumed: UnsafeMutableBufferPointer<UInt64>

    /// - Throws: ``Missing`` where the module could not be made or loaded.
    public init(module: String, name: String, in directory: String?, shape: ChunkShape) throws(Missing) {
        typealias Find = @convention(c) (Int) -> UnsafePointer<ring_peer>?
        let find = try PeerModule("\(module).so", in: directory).function("ring_peer_of", as: Find.self)
        guard let peer = find(shape.byteCount)?.pointee, let ring = peer.create(ChunkShape.slots) else {
            throw Missing(reason: "\(module) has no ring for \(shape.byteCount) bytes")
        }
        self.name = name
        self.peer = peer
        self.ring = ring
        produced = shape.makeChunk()
        consumed = shape.makeChunk()
    }

    deinit {
        peer.destroy(ring)
        produced.deallocate()
        consumed.deallocate()
    }

    public func produce(_ count: Int) { peer.produce(ring, produced.baseAddress, count) }

    public func consume(_ count: Int) -> UInt64 { peer.consume(ring, consumed.baseAddress, count) }

    public func consumeInPlace(_ count: Int) -> UInt64 { peer.consume_in_place(ring, count) }

    public func consumeAllInPlace(_ count: Int) -> UInt64 { peer.consume_all_in_place(ring, count) }

    public func produceTimed(_ ticks: UnsafeMutableBufferPointer<UInt32>) {
        peer.produce_timed(ring, produced.baseAddress, ticks.baseAddress, ticks.count)
    }

    public func hammer(until stop: UnsafeMutablePointer<Int32>) { peer.hammer(ring, consumed.baseAddress, stop) }

    public func empty() { peer.empty(ring, consumed.baseAddress) }
}
