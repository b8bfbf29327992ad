import CLinux
import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Who closes the descriptor, and which are taken at all.
@Suite(.timeLimit(.minutes(5))) struct DescriptorOwnershipTests {
    private let request = CaptureRequest(format: .speech, chunkFrameCount: 160)

    @Test func itIsClosedWhenTheStreamIs() throws {
        let pipe = try TestPipe()
        let source = DescriptorSource(descriptor: pipe.readEnd, contents: .raw(nil))
        #expect(clinux_fcntl_int(pipe.readEnd, F_GETFD, 0) == FD_CLOEXEC)
        let stream = try source.open(request, in: CaptureEnvironment())
        #expect(!pipe.hasNoReader)
        stream.close()
        #expect(pipe.isReaderGone)
        let error = expectError(.invalidState) { _ = try source.open(request, in: CaptureEnvironment()) }
        #expect(error?.message.contains("only once") == true)
    }

    @Test func itIsClosedWhenTheStreamIsDropped() throws {
        let pipe = try TestPipe()
        do { _ = try DescriptorSource(descriptor: pipe.readEnd, contents: .raw(nil)).open(request, in: .init()) }
        #expect(pipe.isReaderGone)
    }

    @Test func itIsClosedWhenNobodyOpensTheSource() throws {
        let pipe = try TestPipe()
        do { _ = DescriptorSource(descriptor: pipe.readEnd) }
        #expect(pipe.isReaderGone)
    }

    @Test(arguments: ["fLaC....", "RIFF....WAVE", "RIFF....WAVEdata...."]) func itIsClosedWhenOpeningFails(
        text: String
    ) throws {
        let pipe = try TestPipe(sockets: true)
        try pipe.write(Array(text.utf8))
        shutdown(pipe.writeEnd, Int32(SHUT_WR))
        let source = DescriptorSource(descriptor: pipe.readEnd)
        #expect(throws: AudioError.self) { try source.open(request, in: CaptureEnvironment()) }
        #expect(pipe.isReaderGone)
    }

    @Test func whatANameMeansStaysOpen() throws {
        let pipe = try TestPipe()
        defer { close(pipe.readEnd) }
        do {
            let source = try DescriptorSource(device: "fd:\(pipe.readEnd)")
            #expect(source.name == "fd:\(pipe.readEnd)")
            let stream = try source.open(request, in: CaptureEnvironment())
            stream.close()
            expectError(.invalidState) { _ = try source.open(request, in: CaptureEnvironment()) }
            // Neither does one that is not opened close it.
            _ = try DescriptorSource(device: "fd:\(pipe.readEnd)")
        }
        #expect(isOpen(pipe.readEnd))
        #expect(!pipe.hasNoReader)
    }

    @Test(arguments: ["", "fd", "fd:", "fd:-1", "fd:+1", "fd: 1", "fd:1x", "fd:2147483648", "-1", "--", "fd:１"])
    func otherNamesAreRefused(name: String) {
        #expect(!DescriptorSource.isName(name))
        expectError(.invalidConfiguration) { _ = try DescriptorSource(device: name) }
    }

    private func refusal(of descriptor: Int32) -> AudioError? {
        expectError(.noSuchDevice) {
            _ = try DescriptorSource(descriptor: descriptor, name: "it").open(request, in: CaptureEnvironment())
        }
    }

    @Test func whatIsNoStreamIsRefused() throws {
        #expect(refusal(of: -1)?.message == "\"it\" is not open in this process")
        let named = expectError(.noSuchDevice) {
            _ = try DescriptorSource(device: "fd:2147483647").open(request, in: CaptureEnvironment())
        }
        #expect(named?.message == "\"fd:2147483647\" is not open in this process")
        let pipe = try TestPipe()
        let writeEnd = clinux_fcntl_int(pipe.writeEnd, F_DUPFD_CLOEXEC, 0)
        let written = file(of: writeEnd)
        #expect(refusal(of: writeEnd)?.message.contains("writing only") == true)
        #expect(file(of: writeEnd) != written)
        close(pipe.readEnd)
        // SAFETY: constant paths.
        #expect(refusal(of: unsafe open("/", O_RDONLY | O_CLOEXEC))?.message.contains("no stream") == true)
        #expect(
            refusal(of: unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC))?.message.contains("terminal") == true)
        #expect(refusal(of: eventfd(0, 0))?.message.contains("no stream") == true)
        #expect(refusal(of: socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0))?.message.contains("packets") == true)
        let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #expect(listen(listening, 1) == 0)
        #expect(refusal(of: listening)?.message.contains("listens") == true)
    }

    /// sox and arecord as they are, where they are installed: their headers, and what comes through a pipe.
    @Test(arguments: [
        ("-e unsigned -b 8", SampleFormat.s16), ("-b 16", .s16), ("-b 24", .s24), ("-b 32", .s32),
        ("-e float -b 32", .f32),
        ("-e u-law", .s16), ("-e a-law", .f32),
    ])
    func whatSoxSends(encoding: String, sampleFormat: SampleFormat) throws {
        guard output(of: "sox", "--version") != nil else { return }
        let scratch = Scratch()
        let sox = "sox -R -n -r 16000 -c 2 \(encoding)"
        _ = output(of: "sh", "-c", "\(sox) \(scratch.file("a.wav")) synth 3 sine 440 sine 330")
        let format = AudioFormat(sampleRateHz: 16_000, channelCount: 2, sampleFormat: sampleFormat)
        let expected = try SoundFileReader(path: scratch.file("a.wav")).readAll(as: sampleFormat)
        #expect(expected.count == 48_000 * format.bytesPerFrame)
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "\(sox) -t wav - synth 3 sine 440 sine 330 2>/dev/null"]
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let copy = clinux_fcntl_int(pipe.fileHandleForReading.fileDescriptor, F_DUPFD_CLOEXEC, 0)
        #expect(try received(from: copy, .automatic, as: format) == expected)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
