import Glibc
import Synchronization
public import VoiceAudioCore

/// Captures from a pipe, a stream socket or a file that is open already: raw samples, or WAV.
///
/// It owns the descriptor, and closes it exactly once: when the capture ends, however it does, when opening fails, or when
/// it is dropped without having been opened. A stream can be read only once, so a source can be opened only once.
///
/// ```swift
/// let source = DescriptorSource(descriptor: connection, contents: .raw(.g711uLaw8k))
/// let processor = AudioProcessor(source: source, configuration: configuration)
/// ```
///
/// Frames come as the sender sends them: ten seconds at once, and then at four times a microphone's pace at most. What is
/// faster waits in the pipe, as its sender then does. Listeners that are slower lose chunks, counted, as of any source.
///
/// | device name | gives |
/// |---|---|
/// | `-` | standard input: raw samples as asked for, or WAV |
/// | `fd:N` | descriptor N of this process, which stays open: a copy of it is read |
///
/// > Concurrency: Safe from any thread. In a fork it cannot be opened.
public final class DescriptorSource: CaptureSource {
    /// What comes.
    public enum Contents: Sendable, Hashable {
        /// Samples and nothing else, of that shape; `nil` for the one that is asked for.
        case raw(StreamFormat?)
        /// A WAV or RF64 file, also one whose header does not know its length: such goes on to the stream's end.
        ///
        /// Integers of 8 to 32 bits, 32-bit floating point, A-law and µ-law.
        case wav
        /// WAV where it begins so, else samples as asked for.
        case automatic
    }

    public let name: String

    /// Of samples whose shape is declared, that shape.
    public var nativeFormat: AudioFormat? {
        if case .raw(let format) = contents { format?.audioFormat } else { nil }
    }

    private let contents: Contents
    private let descriptor: Int32
    private let isOwned: Bool
    private let wasOpened = Atomic<Bool>(false)
    private let owner = OwningProcess()

    /// How long opening waits for a header. A header that comes later is read when it does; what is wrong with it then ends
    /// the capture.
    private static let headerPatience = Duration.seconds(2)

    /// Takes a descriptor over.
    ///
    /// - Parameters:
    ///   - descriptor: Open for reading. Nobody else reads from it or closes it from now on; programs that are started do
    ///     not inherit it. Whether it is non-blocking makes no difference, and stays as it is.
    ///   - contents: What comes.
    ///   - name: What a person calls it; `fd:N` where nothing is said.
    public init(descriptor: Int32, contents: Contents = .automatic, name: String? = nil) {
        self.name = name ?? "fd:\(descriptor)"
        self.contents = contents
        self.descriptor = descriptor
        isOwned = true
        DescriptorCalls.closeOnExec(descriptor)
    }

    /// What the device name `-` or `fd:N` stands for, in this process. The descriptor stays whose it was.
    ///
    /// - Throws: `invalidConfiguration` where it is no such name.
    public init(device: String) throws(AudioError) {
        guard let descriptor = Self.descriptor(of: device) else {
            throw AudioError(
                .invalidConfiguration, "\"\(device)\" is no descriptor: accepted are -, and fd: with a decimal number")
        }
        name = device
        contents = .automatic
        self.descriptor = descriptor
        isOwned = false
    }

    deinit { if isOwned, !wasOpened.load(ordering: .acquiring) { close(descriptor) } }

    /// Whether it is a device name that ``init(device:)`` accepts.
    package static func isName(_ device: String) -> Bool { descriptor(of: device) != nil }

    private static func descriptor(of device: String) -> Int32? {
        if device == "-" { return STDIN_FILENO }
        let digits = device.dropFirst(3)
        guard device.hasPrefix("fd:"), digits.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
        return Int32(digits)
    }

    /// Reads the header of a WAV file, for which it waits up to two seconds.
    ///
    /// - Throws: `noSuchDevice` where it is not open, not for reading, or no stream of bytes; `unsupportedFormat` where it
    ///   is at another rate, lacks channels or is stored in a way that is not read; `unreadableFile` where it is no WAV
    ///   file; `deviceLost`, `deviceFailed` where reading fails; `invalidState` where it was opened before, or in a fork;
    ///   `outOfResources`.
    public func open(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream {
        try owner.check("\"\(name)\"")
        guard !wasOpened.exchange(true, ordering: .acquiringAndReleasing) else {
            throw AudioError(
                .invalidState, "\"\(name)\" was opened before: a stream can be read only once, so make another source")
        }
        let descriptor =
            isOwned ? OwnedDescriptor(owning: descriptor) : try DescriptorCalls.duplicate(descriptor, name: name)
        let stream = try DescriptorStream(
            descriptor, contents: contents, name: name, request: request, environment: environment)
        try stream.awaitHeader(until: environment.clock.now.advanced(by: Self.headerPatience))
        return stream
    }
}
