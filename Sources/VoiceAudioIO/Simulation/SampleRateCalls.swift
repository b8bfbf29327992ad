import CSampleRate
import VoiceAudioCore

/// A short mono sound at another rate, for the built-in speech alone: what a device delivers is never resampled here.
///
/// - Throws: `unsupportedFormat` where libsamplerate does not convert between the two (more than 256-fold).
func resampled(_ samples: [Float], from rate: Int, to newRate: Int) throws(AudioError) -> [Float] {
    let ratio = Double(newRate) / Double(rate)
    let count = Int((Double(samples.count) * ratio).rounded())
    var status: Int32 = 0
    let result = unsafe [Float](unsafeUninitializedCapacity: count) { output, outputCount in
        // SAFETY: both buffers live through the call, which stays within the counts it is given.
        unsafe samples.withUnsafeBufferPointer { input in
            var data = unsafe SRC_DATA()
            unsafe data.data_in = input.baseAddress
            unsafe data.input_frames = input.count
            unsafe data.data_out = output.baseAddress
            unsafe data.output_frames = output.count
            unsafe data.src_ratio = ratio
            status = unsafe src_simple(&data, Int32(SRC_SINC_MEDIUM_QUALITY), 1)
            outputCount = status == 0 ? unsafe data.output_frames_gen : 0
        }
    }
    guard status == 0 else {
        // SAFETY: a constant text.
        let reason = unsafe src_strerror(status).map { unsafe String(cString: $0) } ?? "error \(status)"
        throw AudioError(
            .unsupportedFormat, "the built-in speech cannot be converted to \(newRate) Hz: \(reason)", status: status)
    }
    return result
}
