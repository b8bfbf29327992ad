import CALSA
import CLinux
package import VoiceAudioCore

// SAFETY: in this file a handle comes from alsa-lib's own open or malloc call and is passed on while its one owner
// holds it; results are written to locals; strings are copied before what holds them is given back.

extension ALSAHandle {
    /// The pointer that C takes.
    @unsafe fileprivate var pointer: OpaquePointer? { unsafe OpaquePointer(bitPattern: address) }

    fileprivate init?(_ pointer: OpaquePointer?) {
        let address = UInt(bitPattern: pointer)
        guard address != 0 else { return nil }
        self.init(address: address)
    }
}

/// alsa-lib itself.
package struct SystemALSACalls: ALSACalls {
    private let takesPluginsForHardware: Bool

    /// - Parameter takesPluginsForHardware: For tests, over a plugin that counts its frames as hardware does.
    package init(takesPluginsForHardware: Bool = false) { self.takesPluginsForHardware = takesPluginsForHardware }

    package func open(_ device: String) -> (status: Int32, pcm: ALSAHandle?) {
        var pcm: OpaquePointer?
        let status = unsafe snd_pcm_open(&pcm, device, SND_PCM_STREAM_CAPTURE, Int32(SND_PCM_NONBLOCK))
        return (status, unsafe status < 0 ? nil : ALSAHandle(pcm))
    }

    package func close(_ pcm: ALSAHandle) -> Int32 { unsafe snd_pcm_close(pcm.pointer) }
    package func state(_ pcm: ALSAHandle) -> PCMState? {
        PCMState(rawValue: unsafe snd_pcm_state(pcm.pointer).rawValue)
    }
    package func prepare(_ pcm: ALSAHandle) -> Int32 { unsafe snd_pcm_prepare(pcm.pointer) }
    package func start(_ pcm: ALSAHandle) -> Int32 { unsafe snd_pcm_start(pcm.pointer) }
    package func resume(_ pcm: ALSAHandle) -> Int32 { unsafe snd_pcm_resume(pcm.pointer) }
    package func drop(_ pcm: ALSAHandle) -> Int32 { unsafe snd_pcm_drop(pcm.pointer) }
    package func avail(_ pcm: ALSAHandle) -> Int { unsafe snd_pcm_avail(pcm.pointer) }
    package func forward(_ pcm: ALSAHandle, frames: Int) -> Int {
        unsafe snd_pcm_forward(pcm.pointer, snd_pcm_uframes_t(frames))
    }

    package func htimestamp(_ pcm: ALSAHandle) -> (status: Int32, availableFrames: Int, nanoseconds: Int64) {
        var frames: snd_pcm_uframes_t = 0
        var stamp = snd_htimestamp_t()
        let status = unsafe snd_pcm_htimestamp(pcm.pointer, &frames, &stamp)
        return (status, Int(clamping: frames), Self.nanoseconds(stamp))
    }

    package func reading(of clock: SystemClockID) -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(clock.rawValue, &time)
        return Self.nanoseconds(time)
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    package func readi(_ pcm: ALSAHandle, into buffer: inout MutableRawSpan, frames: Int) -> Int {
        unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe snd_pcm_readi(pcm.pointer, bytes.baseAddress, snd_pcm_uframes_t(frames))
        }
    }

    // MARK: Polling

    package func pollDescriptorsCount(_ pcm: ALSAHandle) -> Int32 { unsafe snd_pcm_poll_descriptors_count(pcm.pointer) }

    package func pollDescriptors(_ pcm: ALSAHandle, into set: borrowing DescriptorSet, count: Int) -> Int32 {
        unsafe set.withEntries { unsafe snd_pcm_poll_descriptors(pcm.pointer, $0.baseAddress, UInt32(count)) }
    }

    package func pollDescriptorsRevents(
        _ pcm: ALSAHandle, in set: borrowing DescriptorSet, count: Int
    ) -> (status: Int32, revents: UInt16) {
        var revents: UInt16 = 0
        let status = unsafe set.withEntries {
            unsafe snd_pcm_poll_descriptors_revents(pcm.pointer, $0.baseAddress, UInt32(count), &revents)
        }
        return (status, revents)
    }

    // MARK: Hardware parameters

    package func hwParamsMalloc() -> (status: Int32, parameters: ALSAHandle?) {
        var parameters: OpaquePointer?
        let status = unsafe snd_pcm_hw_params_malloc(&parameters)
        return (status, unsafe ALSAHandle(parameters))
    }

    package func hwParamsFree(_ parameters: ALSAHandle) { unsafe snd_pcm_hw_params_free(parameters.pointer) }

    package func hwParamsAny(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 {
        unsafe snd_pcm_hw_params_any(pcm.pointer, parameters.pointer)
    }

    package func hwParamsSetAccess(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 {
        unsafe snd_pcm_hw_params_set_access(pcm.pointer, parameters.pointer, SND_PCM_ACCESS_RW_INTERLEAVED)
    }

    package func hwParamsTestFormat(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ layout: SampleLayout) -> Int32 {
        unsafe snd_pcm_hw_params_test_format(pcm.pointer, parameters.pointer, layout.alsa)
    }

    package func hwParamsSetFormat(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ layout: SampleLayout) -> Int32 {
        unsafe snd_pcm_hw_params_set_format(pcm.pointer, parameters.pointer, layout.alsa)
    }

    package func hwParamsTestChannels(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ count: UInt32) -> Int32 {
        unsafe snd_pcm_hw_params_test_channels(pcm.pointer, parameters.pointer, count)
    }

    package func hwParamsSetChannels(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ count: UInt32) -> Int32 {
        unsafe snd_pcm_hw_params_set_channels(pcm.pointer, parameters.pointer, count)
    }

    package func hwParamsGetChannels(_ parameters: ALSAHandle) -> ClosedRange<UInt32>? {
        var low: UInt32 = 0
        var high: UInt32 = 0
        guard unsafe snd_pcm_hw_params_get_channels_min(parameters.pointer, &low) >= 0,
            unsafe snd_pcm_hw_params_get_channels_max(parameters.pointer, &high) >= 0
        else { return nil }
        return low <= high ? low...high : nil
    }

    package func hwParamsTestRate(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ rate: UInt32) -> Int32 {
        unsafe snd_pcm_hw_params_test_rate(pcm.pointer, parameters.pointer, rate, 0)
    }

    package func hwParamsSetRate(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ rate: UInt32) -> Int32 {
        unsafe snd_pcm_hw_params_set_rate(pcm.pointer, parameters.pointer, rate, 0)
    }

    package func hwParamsGetRate(_ parameters: ALSAHandle) -> ClosedRange<UInt32>? {
        var low: UInt32 = 0
        var high: UInt32 = 0
        var direction: Int32 = 0
        guard unsafe snd_pcm_hw_params_get_rate_min(parameters.pointer, &low, &direction) >= 0,
            unsafe snd_pcm_hw_params_get_rate_max(parameters.pointer, &high, &direction) >= 0
        else { return nil }
        return low <= high ? low...high : nil
    }

    package func hwParamsGetBufferSizeMax(_ parameters: ALSAHandle) -> UInt? {
        var frames: snd_pcm_uframes_t = 0
        return unsafe snd_pcm_hw_params_get_buffer_size_max(parameters.pointer, &frames) >= 0 ? frames : nil
    }

    package func hwParamsSetPeriodSizeNear(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        var frames = frames
        var direction: Int32 = 0
        return unsafe snd_pcm_hw_params_set_period_size_near(pcm.pointer, parameters.pointer, &frames, &direction)
    }

    package func hwParamsSetBufferSizeNear(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        var frames = frames
        return unsafe snd_pcm_hw_params_set_buffer_size_near(pcm.pointer, parameters.pointer, &frames)
    }

    package func hwParams(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 {
        unsafe snd_pcm_hw_params(pcm.pointer, parameters.pointer)
    }

    package func getParams(_ pcm: ALSAHandle) -> (status: Int32, bufferFrames: UInt, periodFrames: UInt) {
        var buffer: snd_pcm_uframes_t = 0
        var period: snd_pcm_uframes_t = 0
        let status = unsafe snd_pcm_get_params(pcm.pointer, &buffer, &period)
        return (status, buffer, period)
    }

    // MARK: Software parameters

    package func swParamsMalloc() -> (status: Int32, parameters: ALSAHandle?) {
        var parameters: OpaquePointer?
        let status = unsafe snd_pcm_sw_params_malloc(&parameters)
        return (status, unsafe ALSAHandle(parameters))
    }

    package func swParamsFree(_ parameters: ALSAHandle) { unsafe snd_pcm_sw_params_free(parameters.pointer) }

    package func swParamsCurrent(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 {
        unsafe snd_pcm_sw_params_current(pcm.pointer, parameters.pointer)
    }

    package func swParamsGetBoundary(_ parameters: ALSAHandle) -> UInt {
        var frames: snd_pcm_uframes_t = 0
        _ = unsafe snd_pcm_sw_params_get_boundary(parameters.pointer, &frames)
        return frames
    }

    package func swParamsSetAvailMin(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        unsafe snd_pcm_sw_params_set_avail_min(pcm.pointer, parameters.pointer, frames)
    }

    package func swParamsSetStartThreshold(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        unsafe snd_pcm_sw_params_set_start_threshold(pcm.pointer, parameters.pointer, frames)
    }

    package func swParamsSetStopThreshold(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32 {
        unsafe snd_pcm_sw_params_set_stop_threshold(pcm.pointer, parameters.pointer, frames)
    }

    package func swParamsSetTimestamps(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 {
        // A choice of clock that the device does not offer is no failure: which one it uses is found out later.
        _ = unsafe snd_pcm_sw_params_set_tstamp_type(
            pcm.pointer, parameters.pointer, SND_PCM_TSTAMP_TYPE_MONOTONIC)
        return unsafe snd_pcm_sw_params_set_tstamp_mode(pcm.pointer, parameters.pointer, SND_PCM_TSTAMP_ENABLE)
    }

    package func swParams(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32 {
        unsafe snd_pcm_sw_params(pcm.pointer, parameters.pointer)
    }

    // MARK: What there is

    package func isHardware(_ pcm: ALSAHandle) -> Bool {
        let type = unsafe snd_pcm_type(pcm.pointer)
        return type == SND_PCM_TYPE_HW || (takesPluginsForHardware && type == SND_PCM_TYPE_IOPLUG)
    }

    package func info(_ pcm: ALSAHandle) -> PCMPlace? {
        var info: OpaquePointer?
        guard unsafe snd_pcm_info_malloc(&info) >= 0 else { return nil }
        defer { unsafe snd_pcm_info_free(info) }
        guard unsafe snd_pcm_info(pcm.pointer, info) >= 0 else { return nil }
        let card = unsafe snd_pcm_info_get_card(info)
        guard card >= 0 else { return nil }
        return PCMPlace(
            card: Int(card), device: Int(unsafe snd_pcm_info_get_device(info)),
            subdevice: Int(unsafe snd_pcm_info_get_subdevice(info)))
    }

    package func hardwareFormat(at place: PCMPlace) -> HardwareFormat? { HardwareFormat(of: place) }
}

extension SampleLayout {
    fileprivate var alsa: snd_pcm_format_t {
        switch self {
        case .s16: SND_PCM_FORMAT_S16_LE
        case .s24In3Bytes: SND_PCM_FORMAT_S24_3LE
        case .s24In4Bytes: SND_PCM_FORMAT_S24_LE
        case .s32: SND_PCM_FORMAT_S32_LE
        case .f32: SND_PCM_FORMAT_FLOAT_LE
        }
    }
}

/// Takes alsa-lib's messages of this thread instead of stderr, from its making until ``end()``.
///
/// Keeping a message allocates nothing. A handler that the host set for the whole process stays in force before this.
///
/// > Concurrency: To be made, read and ended on one thread.
@safe
package final class ALSAMessages {
    // SAFETY: allocated in init and freed in deinit, which ends the collecting first.
    private let messages: UnsafeMutablePointer<calsa_messages>
    private var hasEnded = false

    package init() {
        unsafe messages = .allocate(capacity: 1)
        unsafe messages.initialize(to: calsa_messages())
        unsafe calsa_begin_messages(messages)
    }

    deinit {
        end()
        unsafe messages.deallocate()
    }

    /// Puts back what was in place before.
    package func end() {
        guard !hasEnded else { return }
        hasEnded = true
        unsafe calsa_end_messages(messages)
    }

    /// The messages since the last call (the first ones and the newest where there were many), and how many there were.
    package func take() -> (count: Int, texts: [String]) {
        let count = unsafe messages.pointee.count
        unsafe messages.pointee.count = 0
        // SAFETY: places below the count hold NUL-terminated text.
        let texts = (0..<min(count, UInt(CALSA_KEPT_MESSAGES))).map {
            unsafe String(cString: calsa_message(messages, $0))
        }
        return (Int(count), texts)
    }
}
