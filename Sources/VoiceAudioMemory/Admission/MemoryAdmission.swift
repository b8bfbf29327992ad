/// Whether something may go on, and why not.
public enum MemoryAdmission: Sendable, Hashable {
    case allowed
    /// The reason names the operation, the bytes, and what stands against it.
    case refused(reason: String)

    /// Whether it may go on.
    public var isAllowed: Bool { self == .allowed }
}
