import CSampleRate
import VoiceAudioCore

/// Makes frames of one rate out of frames of another, by libsamplerate's sinc of medium quality.
///
/// What a device delivers is never resampled here; only the built-in speech, and a history whose capture goes on at another
/// rate.
@safe
struct Resampler: ~Copyable {
    // SAFETY: owned, and freed by deinit; `nil` where the rates are the same.
    private let state: OpaquePointer?
    private let ratio: Double
    private let channelCount: Int

    /// What is said of two rates between which libsamplerate does not convert (more than 256-fold); `nil` where it does.
    static func refusal(from rate: Int, to newRate: Int) -> AudioError? {
        guard rate != newRate, src_is_valid_ratio(Double(newRate) / Double(rate)) == 0 else { return nil }
        return AudioError(
            .unsupportedFormat, "\(rate) Hz cannot be converted to \(newRate) Hz: accepted is 256-fold")
    }

    /// - Throws: `unsupportedFormat` where libsamplerate does not convert between the two; `outOfResources`.
    init(from rate: Int, to newRate: Int, channelCount: Int) throws(AudioError) {
        ratio = Double(newRate) / Double(rate)
        self.channelCount = channelCount
        guard rate != newRate else {
            unsafe state = nil
            return
        }
        if let refusal = Self.refusal(from: rate, to: newRate) { throw refusal }
        var status: Int32 = 0
        guard let state = unsafe src_new(Int32(SRC_SINC_MEDIUM_QUALITY), Int32(channelCount), &status) else {
            throw Self.failure(status)
        }
        unsafe self.state = state
    }

    deinit { if unsafe state != nil { _ = unsafe src_delete(state) } }

    /// Converts the next frames.
    ///
    /// - Parameters:
    ///   - samples: Whole frames, interleaved.
    ///   - isEnd: Whether nothing follows: then all that is due comes out.
    /// - Returns: What is due by now; some of it comes with the next call.
    /// - Throws: `unsupportedFormat` where libsamplerate fails.
    mutating func convert(_ samples: [Float], isEnd: Bool) throws(AudioError) -> [Float] {
        guard unsafe state != nil else { return samples }
        var output: [Float] = []
        var used = 0
        while true {
            var room = [Float](repeating: 0, count: 4096 * channelCount)
            var generated = 0
            var taken = 0
            let status = unsafe samples.withUnsafeBufferPointer { input in
                unsafe room.withUnsafeMutableBufferPointer { room in
                    var data = unsafe SRC_DATA()
                    // SAFETY: both buffers live through the call, which stays within the counts it is given.
                    unsafe data.data_in = unsafe input.baseAddress.map { unsafe $0 + used * channelCount }
                    unsafe data.input_frames = input.count / channelCount - used
                    unsafe data.data_out = room.baseAddress
                    unsafe data.output_frames = room.count / channelCount
                    unsafe data.src_ratio = ratio
                    unsafe data.end_of_input = isEnd ? 1 : 0
                    let status = unsafe src_process(state, &data)
                    generated = unsafe data.output_frames_gen
                    taken = unsafe data.input_frames_used
                    return status
                }
            }
            guard status == 0 else { throw Self.failure(status) }
            used += taken
            output += room.prefix(generated * channelCount)
            if generated == 0, taken == 0 { return output }
        }
    }

    private static func failure(_ status: Int32) -> AudioError {
        // SAFETY: a constant text.
        let reason = unsafe src_strerror(status).map { unsafe String(cString: $0) } ?? "error \(status)"
        return AudioError(.unsupportedFormat, "libsamplerate: \(reason)", status: status)
    }
}
