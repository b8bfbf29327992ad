package import VoiceAudioCore

/// A handle of alsa-lib's: the address of its object. Whoever opened or allocated it gives it back.
package struct ALSAHandle: Sendable, Hashable {
    package let address: UInt

    package init(address: UInt) { self.address = address }
}

/// alsa-lib's calls for a capturing PCM, one to one: the seam where a test puts scripted results.
///
/// Each is the C function `snd_pcm_…` of that name; results below zero are negative `errno` values.
package protocol ALSACalls: ALSADeviceCalls {
    /// Opens for capture, non-blocking.
    func open(_ device: String) -> (status: Int32, pcm: ALSAHandle?)
    func close(_ pcm: ALSAHandle) -> Int32
    func state(_ pcm: ALSAHandle) -> PCMState?
    func prepare(_ pcm: ALSAHandle) -> Int32
    func start(_ pcm: ALSAHandle) -> Int32
    func resume(_ pcm: ALSAHandle) -> Int32
    func drop(_ pcm: ALSAHandle) -> Int32
    /// Frames that wait to be read, after asking the hardware.
    func avail(_ pcm: ALSAHandle) -> Int
    /// Skips frames that wait to be read.
    func forward(_ pcm: ALSAHandle, frames: Int) -> Int
    /// Frames that wait to be read, and when, on a clock of the device's choice, the last of them had come.
    func htimestamp(_ pcm: ALSAHandle) -> (status: Int32, availableFrames: Int, nanoseconds: Int64)
    /// What a system clock shows, beside the stamps of `htimestamp`: nanoseconds.
    func reading(of clock: SystemClockID) -> Int64
    /// Reads at most `frames` frames, which fit into `buffer`.
    func readi(_ pcm: ALSAHandle, into buffer: inout MutableRawSpan, frames: Int) -> Int

    func pollDescriptorsCount(_ pcm: ALSAHandle) -> Int32
    /// Fills the first `count` places of `set`.
    func pollDescriptors(_ pcm: ALSAHandle, into set: borrowing DescriptorSet, count: Int) -> Int32
    /// What the first `count` places of `set` mean for the PCM.
    func pollDescriptorsRevents(
        _ pcm: ALSAHandle, in set: borrowing DescriptorSet, count: Int
    ) -> (status: Int32, revents: UInt16)

    func hwParamsMalloc() -> (status: Int32, parameters: ALSAHandle?)
    func hwParamsFree(_ parameters: ALSAHandle)
    func hwParamsAny(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32
    /// Interleaved frames through `readi`.
    func hwParamsSetAccess(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32
    func hwParamsTestFormat(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ layout: SampleLayout) -> Int32
    func hwParamsSetFormat(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ layout: SampleLayout) -> Int32
    func hwParamsTestChannels(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ count: UInt32) -> Int32
    func hwParamsSetChannels(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ count: UInt32) -> Int32
    func hwParamsGetChannels(_ parameters: ALSAHandle) -> ClosedRange<UInt32>?
    func hwParamsTestRate(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ rate: UInt32) -> Int32
    func hwParamsSetRate(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ rate: UInt32) -> Int32
    func hwParamsGetRate(_ parameters: ALSAHandle) -> ClosedRange<UInt32>?
    func hwParamsGetBufferSizeMax(_ parameters: ALSAHandle) -> UInt?
    func hwParamsSetPeriodSizeNear(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32
    func hwParamsSetBufferSizeNear(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32
    /// Sets them on the device, and prepares it.
    func hwParams(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32
    /// Frames in a period and in the buffer, as set.
    func getParams(_ pcm: ALSAHandle) -> (status: Int32, bufferFrames: UInt, periodFrames: UInt)

    func swParamsMalloc() -> (status: Int32, parameters: ALSAHandle?)
    func swParamsFree(_ parameters: ALSAHandle)
    func swParamsCurrent(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32
    func swParamsGetBoundary(_ parameters: ALSAHandle) -> UInt
    func swParamsSetAvailMin(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32
    func swParamsSetStartThreshold(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32
    func swParamsSetStopThreshold(_ pcm: ALSAHandle, _ parameters: ALSAHandle, _ frames: UInt) -> Int32
    /// Asks for time stamps, on the monotonic clock where the device has a choice.
    func swParamsSetTimestamps(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32
    func swParams(_ pcm: ALSAHandle, _ parameters: ALSAHandle) -> Int32

    /// Whether the PCM is the kernel's own, without a plugin between.
    func isHardware(_ pcm: ALSAHandle) -> Bool
    /// The sound card's PCM that stands behind, where one does.
    func info(_ pcm: ALSAHandle) -> PCMPlace?
    /// What the kernel says that it runs at.
    func hardwareFormat(at place: PCMPlace) -> HardwareFormat?
}
