import CLinux
import Glibc
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// A pipe or a pair of sockets. The test owns the end that is written to, and the source the other.
final class TestPipe {
    let readEnd: Int32
    private(set) var writeEnd: Int32

    init(sockets: Bool = false) throws {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the kernel fills two numbers.
        let status = unsafe ends.withUnsafeMutableBufferPointer { ends in
            sockets
                ? unsafe socketpair(
                    AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, ends.baseAddress)
                : unsafe clinux_pipe(ends.baseAddress, O_CLOEXEC)
        }
        try #require(status == 0)
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit { finish() }

    /// Closes the end that is written to.
    func finish() {
        if writeEnd >= 0 { close(writeEnd) }
        writeEnd = -1
    }

    func write(_ bytes: [UInt8]) throws { try writeAll(bytes, to: writeEnd) }

    /// Whether nobody has the other end open any more.
    /// A child of another test has the reader, too, until its program begins.
    var isReaderGone: Bool { eventually { hasNoReader } }

    var hasNoReader: Bool {
        var entry = pollfd(fd: writeEnd, events: 0, revents: 0)
        // SAFETY: a local.
        return unsafe poll(&entry, 1, 0) == 1 && Int32(entry.revents) & (POLLERR | POLLHUP) != 0
    }
}

/// Writes all of it, however long that takes.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
    var done = 0
    while done < bytes.count {
        // SAFETY: the array lives through the call.
        let count = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress! + done, $0.count - done) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw AudioError(.notWritable, "test pipe", status: errno) }
        done += count
    }
}

/// Whether a descriptor of that number is open.
func isOpen(_ descriptor: Int32) -> Bool { clinux_fcntl_int(descriptor, F_GETFD, 0) >= 0 }

/// What a descriptor is open on. Once it is closed, its number may soon stand for another test's file.
func file(of descriptor: Int32) -> [UInt]? {
    var status = stat()
    // SAFETY: a local.
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    return [status.st_dev, status.st_ino]
}

/// Keeps what is logged.
final class KeptLog: AudioLogSink {
    private let kept = Lock<[String]>([])
    var messages: [String] { kept.withLock { $0.map { $0 } } }

    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        let line = "\(level.rawValue): \(message())"
        kept.withLock { $0.append(line) }
    }
}

/// A stream that a test reads as the capture thread does.
final class StreamReading {
    let stream: any CaptureStream
    let wakeUp: WakeUp
    private let chunkFrameCount: Int
    private(set) var captureTimes: [MonotonicInstant] = []

    init(
        _ source: DescriptorSource, as format: AudioFormat, mono: MonoChannel = .mix, chunkFrameCount: Int = 160,
        clock: any AudioClock = SystemClock(), log: any AudioLogSink = SilentLogSink()
    ) throws {
        wakeUp = try WakeUp()
        self.chunkFrameCount = chunkFrameCount
        stream = try source.open(
            CaptureRequest(format: format, chunkFrameCount: chunkFrameCount, monoChannel: mono),
            in: CaptureEnvironment(clock: clock, logSink: log))
        try stream.start()
    }

    /// One read, of a chunk at most.
    func read() throws -> (bytes: [UInt8], result: CaptureRead) {
        let frameBytes = stream.report.format.bytesPerFrame
        var chunk = [UInt8](repeating: 0xEE, count: chunkFrameCount * frameBytes)
        var span = chunk.mutableSpan
        // SAFETY: any bytes are valid elements.
        var bytes = unsafe span.mutableBytes
        let result = try stream.read(into: &bytes)
        guard case .frames(let count, let time) = result else { return ([], result) }
        captureTimes.append(time)
        return (Array(chunk[..<(count * frameBytes)]), result)
    }

    /// Everything to the end. Then closes.
    func readAll() throws -> [UInt8] {
        defer { stream.close() }
        var all: [UInt8] = []
        while true {
            let (bytes, result) = try read()
            all += bytes
            switch result {
            case .ended: return all
            case .nothing: try stream.wait(orFor: CaptureWakeUp(wakeUp))
            case .frames: break
            case .lost, .reopened: throw AudioError(.deviceFailed, "\(result)")
            }
        }
    }
}

/// All that comes out of a source.
func received(
    from descriptor: Int32, _ contents: DescriptorSource.Contents, as format: AudioFormat, mono: MonoChannel = .mix,
    log: any AudioLogSink = SilentLogSink()
) throws -> [UInt8] {
    try StreamReading(
        DescriptorSource(descriptor: descriptor, contents: contents), as: format, mono: mono, log: log
    ).readAll()
}

/// All that comes out of a source for bytes that fit into a pipe.
func received(
    _ bytes: [UInt8], _ contents: DescriptorSource.Contents, as format: AudioFormat, mono: MonoChannel = .mix,
    log: any AudioLogSink = SilentLogSink()
) throws -> [UInt8] {
    let pipe = try TestPipe()
    try pipe.write(bytes)
    pipe.finish()
    return try received(from: pipe.readEnd, contents, as: format, mono: mono, log: log)
}
