import CLinux
import Glibc
import VoiceAudioCore

/// What the kernel tells of sound cards in `/proc/asound`.
enum SoundCardFiles {
    /// What the hardware runs at, as text, where it differs from `format`; `nil` where that is not known.
    static func hardwareFormat(of place: PCMPlace, unless format: AudioFormat, root: String = "/proc") -> String? {
        let substream = "pcm\(place.device)c/sub\(place.subdevice)"
        let path = "\(root)/asound/card\(place.card)/\(substream)/hw_params"
        guard let fields = fields(ofFile: path), let rate = fields["rate"]?.split(separator: " ").first,
            let channels = fields["channels"], let sample = fields["format"]
        else { return nil }
        let asDelivered =
            rate == "\(format.sampleRateHz)" && channels == "\(format.channelCount)"
            && sample == format.sampleFormat.kernelName
        return asDelivered ? nil : "\(rate) Hz, \(channels) ch, \(sample)"
    }

    /// The `name: value` lines of a small file.
    static func fields(ofFile path: String) -> [String: String]? {
        guard let text = text(ofFile: path) else { return nil }
        var fields: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].split(separator: " ").joined(separator: " ")] = String(value)
        }
        return fields
    }

    /// The start of a file, at most 4 KiB.
    static func text(ofFile path: String) -> String? {
        // SAFETY: the path is NUL-terminated for the call, and the kernel writes within the capacity.
        let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return unsafe String(unsafeUninitializedCapacity: 4096) { bytes in
            unsafe max(0, Glibc.read(descriptor, bytes.baseAddress, bytes.count))
        }
    }

    /// The names in a directory; none where it cannot be read.
    static func names(in directory: String) -> [String] {
        // SAFETY: the stream is opened and closed here, and each entry is copied before the next is read.
        guard let stream = unsafe opendir(directory) else { return [] }
        defer { _ = unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

extension SampleFormat {
    fileprivate var kernelName: String {
        switch self {
        case .s16: "S16_LE"
        case .s24: "S24_3LE"
        case .s32: "S32_LE"
        case .f32: "FLOAT_LE"
        }
    }
}
