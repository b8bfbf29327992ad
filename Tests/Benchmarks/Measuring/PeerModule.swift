import Glibc

/// A peer's C functions, from the module that `Scripts/bench` compiled: so the benchmarks build where the peer is missing.
public struct PeerModule {
    // Never closed: a function taken from it may be called for as long as the program runs.
    private let handle: UnsafeMutableRawPointer

    /// - Parameter name: Of the file in the peers' directory: `ring.so`.
    public init(_ name: String, in peers: String?) throws(Missing) {
        guard let handle = dlopen(try peerFile(name, in: peers), RTLD_NOW) else {
            throw Missing(reason: dlerror().map { String(cString: $0) } ?? "it does not load")
        }
        self.handle = handle
    }

    /// A function of it. Ends the program where there is none: then the module is not the one that was meant.
    ///
    /// - Parameter type: What the function is, with `@convention(c)`.
    public func function<Function>(_ name: String, as type: Function.Type) -> Function {
        guard let address = dlsym(handle, name) else { fatalError("the peer's module has no function \(name)") }
        return unsafeBitCast(address, to: type)
    }
}
