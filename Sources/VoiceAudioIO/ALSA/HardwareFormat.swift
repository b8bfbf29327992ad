import VoiceAudioCore

/// What a sound card runs at, as `/proc/asound` tells while it is open.
package struct HardwareFormat: Sendable, Hashable {
    package var sampleRateHz: Int
    package var channelCount: Int
    /// The kernel's name: ``SampleLayout``'s raw value, or a format that we do not know.
    package var layout: String
    package var bufferFrames: Int

    package init(sampleRateHz: Int, channelCount: Int, layout: String, bufferFrames: Int) {
        self.sampleRateHz = sampleRateHz
        self.channelCount = channelCount
        self.layout = layout
        self.bufferFrames = bufferFrames
    }

    /// The `hw_params` of the capturing substream at `place`; `nil` where it is closed or there is no such file.
    init?(of place: PCMPlace, root: String = "/proc") {
        let substream = "pcm\(place.device)c/sub\(place.subdevice)"
        guard
            let fields = KernelFiles.fields(ofFile: "\(root)/asound/card\(place.card)/\(substream)/hw_params"),
            // "48000 (48000/1)"
            let rate = fields["rate"]?.split(separator: " ").first.flatMap({ Int($0) }),
            let channels = fields["channels"].flatMap({ Int($0) }), let layout = fields["format"],
            let buffer = fields["buffer_size"].flatMap({ Int($0) })
        else { return nil }
        sampleRateHz = rate
        channelCount = channels
        self.layout = layout
        bufferFrames = buffer
    }
}

extension HardwareFormat: CustomStringConvertible {
    /// `48000 Hz, 2 ch, S32_LE`.
    package var description: String { "\(sampleRateHz) Hz, \(channelCount) ch, \(layout)" }
}
