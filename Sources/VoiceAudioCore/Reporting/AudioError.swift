/// What went wrong: a code to act on, a sentence to read, and the status of the call beneath.
///
/// A new code never breaks a caller's `switch`: ``Code`` is open, so a switch over it has a `default`.
public struct AudioError: Error, Sendable, Hashable {
    /// The kind of failure.
    public struct Code: RawRepresentable, Hashable, Sendable, Codable {
        /// The code's name.
        public let rawValue: String

        /// A code by its name: for errors of sources of your own.
        public init(rawValue: String) { self.rawValue = rawValue }
    }

    /// The kind of failure.
    public let code: Code

    /// One sentence for a person: what was wrong, the value, and what is accepted or helps.
    public let message: String

    /// The status of the failing call as it gave it, an `errno` value without sign; `nil` where no call failed.
    public let status: Int32?

    /// An error, as sources of your own may throw it, too.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: One sentence for a person.
    ///   - status: An `errno` value without sign, if a call failed.
    public init(_ code: Code, _ message: String, status: Int32? = nil) {
        self.code = code
        self.message = message
        self.status = status
    }
}

extension AudioError.Code {
    /// A setting or argument is outside of what is accepted.
    public static let invalidConfiguration = Self(rawValue: "invalidConfiguration")
    /// The call does not fit the state; the message names the state.
    public static let invalidState = Self(rawValue: "invalidState")
    /// The deadline passed before the work was done.
    public static let timedOut = Self(rawValue: "timedOut")
    /// The work was cancelled.
    public static let cancelled = Self(rawValue: "cancelled")
    /// The ring's end is held by someone else.
    public static let endTaken = Self(rawValue: "endTaken")
    /// The ring's oldest chunk is borrowed, and the call came from within that borrow.
    public static let borrowed = Self(rawValue: "borrowed")
    /// No capture device has that name.
    public static let noSuchDevice = Self(rawValue: "noSuchDevice")
    /// The device is held by another program.
    public static let busy = Self(rawValue: "busy")
    /// The system refuses access.
    public static let permissionDenied = Self(rawValue: "permissionDenied")
    /// The device or file does not have that rate, channel count or format.
    public static let unsupportedFormat = Self(rawValue: "unsupportedFormat")
    /// The capture was reconfigured to frames of another format than those that were listened for.
    public static let formatChanged = Self(rawValue: "formatChanged")
    /// The device went away.
    public static let deviceLost = Self(rawValue: "deviceLost")
    /// The device or a call on it failed.
    public static let deviceFailed = Self(rawValue: "deviceFailed")
    /// No such file.
    public static let noSuchFile = Self(rawValue: "noSuchFile")
    /// The file is not audio, or is damaged.
    public static let unreadableFile = Self(rawValue: "unreadableFile")
    /// The file could not be created or written.
    public static let notWritable = Self(rawValue: "notWritable")
    /// No space left, or less than the free space to keep.
    public static let diskFull = Self(rawValue: "diskFull")
    /// Memory, a descriptor or a thread could not be had.
    public static let outOfResources = Self(rawValue: "outOfResources")
    /// All places of a bounded table are taken.
    public static let limitReached = Self(rawValue: "limitReached")
}

extension AudioError.Code: CustomStringConvertible {
    /// The code's name.
    public var description: String { rawValue }
}

extension AudioError: CustomStringConvertible {
    /// The message, then code and status in brackets.
    public var description: String {
        guard let status else { return "\(message) [\(code.rawValue)]" }
        return "\(message) [\(code.rawValue), status \(status)]"
    }
}
