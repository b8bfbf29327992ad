import CALSA
import CLinux
import Glibc

// SAFETY: in this file the PCM is open from init to deinit and used by one test; results are written to locals.

/// Reads a PCM in 32 bits on one channel through alsa-lib alone: what the PCM does, without what our capture makes of it.
@safe
final class PlainReader {
    struct Failure: Error {
        let call: String
        let status: Int32
    }

    private let pcm: OpaquePointer
    private(set) var bufferFrames = 0
    /// The threshold at which a stream never stops.
    private(set) var boundary = 0

    init(_ device: String, rate: Int, periodFrames: Int, bufferFrames: Int, isBlocking: Bool = false) throws {
        var opened: OpaquePointer?
        let mode = isBlocking ? 0 : Int32(SND_PCM_NONBLOCK)
        let status = unsafe snd_pcm_open(&opened, device, SND_PCM_STREAM_CAPTURE, mode)
        guard status >= 0, let pcm = unsafe opened else { throw Failure(call: "open", status: status) }
        unsafe self.pcm = pcm
        var hardware: OpaquePointer?
        unsafe snd_pcm_hw_params_malloc(&hardware)
        defer { unsafe snd_pcm_hw_params_free(hardware) }
        unsafe snd_pcm_hw_params_any(pcm, hardware)
        try check("access", unsafe snd_pcm_hw_params_set_access(pcm, hardware, SND_PCM_ACCESS_RW_INTERLEAVED))
        try check("format", unsafe snd_pcm_hw_params_set_format(pcm, hardware, SND_PCM_FORMAT_S32_LE))
        try check("channels", unsafe snd_pcm_hw_params_set_channels(pcm, hardware, 1))
        try check("rate", unsafe snd_pcm_hw_params_set_rate(pcm, hardware, UInt32(rate), 0))
        try check("period", unsafe snd_pcm_hw_params_set_period_size(pcm, hardware, UInt(periodFrames), 0))
        try check("buffer", unsafe snd_pcm_hw_params_set_buffer_size(pcm, hardware, UInt(bufferFrames)))
        try check("hw_params", unsafe snd_pcm_hw_params(pcm, hardware))
        self.bufferFrames = bufferFrames
    }

    deinit { unsafe snd_pcm_close(pcm) }

    private func check(_ call: String, _ status: Int32) throws {
        guard status >= 0 else { throw Failure(call: call, status: status) }
    }

    /// When to wake, and when to stop: `nil` for never.
    func setThresholds(wakeFrames: Int, stopFrames: Int?) throws {
        var software: OpaquePointer?
        unsafe snd_pcm_sw_params_malloc(&software)
        defer { unsafe snd_pcm_sw_params_free(software) }
        try check("current", unsafe snd_pcm_sw_params_current(pcm, software))
        var boundary: snd_pcm_uframes_t = 0
        try check("boundary", unsafe snd_pcm_sw_params_get_boundary(software, &boundary))
        self.boundary = Int(boundary)
        try check("avail_min", unsafe snd_pcm_sw_params_set_avail_min(pcm, software, UInt(wakeFrames)))
        let stop = stopFrames.map(UInt.init) ?? boundary
        try check("stop_threshold", unsafe snd_pcm_sw_params_set_stop_threshold(pcm, software, stop))
        try check("sw_params", unsafe snd_pcm_sw_params(pcm, software))
    }

    func prepare() throws { try check("prepare", unsafe snd_pcm_prepare(pcm)) }
    func start() throws { try check("start", unsafe snd_pcm_start(pcm)) }
    func stop() throws { try check("drop", unsafe snd_pcm_drop(pcm)) }
    /// What alsa-lib answers.
    func resume() -> Int32 { unsafe snd_pcm_resume(pcm) }
    func wait(milliseconds: Int32) -> Int32 { unsafe snd_pcm_wait(pcm, milliseconds) }
    /// As alsa-lib names it.
    var state: String { unsafe String(cString: snd_pcm_state_name(snd_pcm_state(pcm))) }
    var isRunning: Bool { unsafe snd_pcm_state(pcm) == SND_PCM_STATE_RUNNING }
    var isOverrun: Bool { unsafe snd_pcm_state(pcm) == SND_PCM_STATE_XRUN }
    /// Frames that wait, or a negative `errno`.
    func available() -> Int { unsafe snd_pcm_avail(pcm) }
    func forward(_ frames: Int) -> Int { unsafe snd_pcm_forward(pcm, UInt(frames)) }

    /// The number, modulo 2³², of a frame below 2³² by its sample in 32 bits.
    static func number(of sample: UInt32) -> UInt32 {
        // The inverse of the factor.
        sample &* 0x0E8B_2F51
    }

    /// The numbers of up to so many frames.
    func read(_ frames: Int) throws -> [UInt32] {
        var samples = [UInt32](repeating: 0, count: frames)
        let count = unsafe snd_pcm_readi(pcm, &samples, UInt(frames))
        try check("readi", Int32(count))
        return samples.prefix(count).map(Self.number(of:))
    }

    /// Looks once at the descriptor, for at most so long, and asks what that means: `nil` where nothing came.
    func poll(milliseconds: Int32) throws -> Int16? {
        var entry = pollfd()
        try check("descriptors", unsafe snd_pcm_poll_descriptors(pcm, &entry, 1) - 1)
        guard unsafe Glibc.poll(&entry, 1, milliseconds) == 1 else { return nil }
        var events: UInt16 = 0
        try check("revents", unsafe snd_pcm_poll_descriptors_revents(pcm, &entry, 1, &events))
        return Int16(bitPattern: events)
    }
}
