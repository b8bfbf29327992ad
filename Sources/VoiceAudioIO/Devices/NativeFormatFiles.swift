/// Reads what the kernel tells of a sound card's native formats: nothing is opened, and nothing is guessed.
enum NativeFormatFiles {
    struct Formats: Equatable {
        var capture: [NativeFormat] = []
        var playback: [NativeFormat] = []
    }

    /// Settings kept of one file, more than any device has.
    private static let limit = 256

    /// `/proc/asound/card?/stream?` of a USB device: the alternate settings of its interfaces.
    static func usbStream(_ text: String) -> Formats {
        var formats = Formats()
        var direction: WritableKeyPath<Formats, [NativeFormat]>?
        var samples: [String]?
        var channels: Int?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words.first {
            case "Capture:": direction = \.capture
            case "Playback:": direction = \.playback
            case "Altset": (samples, channels) = (nil, nil)
            case "Format:": samples = words.dropFirst().map(String.init)
            case "Channels:": channels = words.count == 2 ? number(words[1], in: 1...1024) : nil
            case "Rates:":
                guard let direction, let samples, !samples.isEmpty, let channels else { continue }
                let isContinuous = words.last == "(continuous)"
                let rates = rates(isContinuous ? words.dropFirst().dropLast() : words.dropFirst())
                guard !rates.isEmpty, !isContinuous || rates.count == 2 else { continue }
                add(
                    NativeFormat(
                        sampleFormats: samples, channelCount: channels, ratesHz: rates, isContinuous: isContinuous),
                    to: &formats[keyPath: direction])
            default: break
            }
        }
        return formats
    }

    /// `/proc/asound/card?/codec#?` of a HDA codec: by PCM number, the converters that the driver uses for it.
    static func hdaCodec(_ text: String) -> [Int: Formats] {
        var formats: [Int: Formats] = [:]
        var node = HDANode()
        // What holds for a node that does not say its own.
        var common = HDACapabilities()
        var isCommon = false
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            switch words.first {
            case "Node":
                node.add(to: &formats, common: common)
                node = HDANode(words)
                isCommon = false
            case "Default": isCommon = words.dropFirst().first == "PCM:"
            case "Device:": node.device = deviceNumber(of: words)
            case "rates": node.take(isCommon, &common) { $0.rates = rates(words.dropFirst(2)) }
            case "bits":
                node.take(isCommon, &common) { $0.bits = words.dropFirst(2).compactMap { number($0, in: 1...64) } }
            case "formats": node.take(isCommon, &common) { $0.coding = words.dropFirst(2).map(String.init) }
            default: break
            }
        }
        node.add(to: &formats, common: common)
        return formats
    }

    private struct HDACapabilities {
        var rates: [Int] = []
        var bits: [Int] = []
        var coding: [String] = []

        /// As the driver maps them; what is not linear PCM cannot be captured.
        var sampleFormats: [String] {
            var names: [String] = []
            if coding.contains("PCM") {
                if bits.contains(8) { names.append("U8") }
                if bits.contains(16) { names.append("S16_LE") }
                if bits.contains(where: { $0 > 16 }) { names.append("S32_LE") }
            }
            if coding.contains("FLOAT") { names.append("FLOAT_LE") }
            return names
        }
    }

    private struct HDANode {
        var direction: WritableKeyPath<Formats, [NativeFormat]>?
        var channelCount = 0
        /// The number of the PCM that the driver uses it for.
        var device: Int?
        var own = HDACapabilities()

        init() {}

        /// `Node 0x04 [Audio Input] wcaps 0x10011b: Stereo Amp-In`
        init(_ words: [Substring]) {
            guard words.count >= 7, words[2] == "[Audio" else { return }
            direction = words[3] == "Input]" ? \.capture : words[3] == "Output]" ? \.playback : nil
            channelCount =
                switch words[6] {
                case "Mono": 1
                case "Stereo": 2
                case let text where text.hasSuffix("-Channels"): number(text.dropLast(9), in: 1...1024) ?? 0
                default: 0
                }
        }

        mutating func take(_ isCommon: Bool, _ common: inout HDACapabilities, _ set: (inout HDACapabilities) -> Void) {
            if isCommon { set(&common) } else { set(&own) }
        }

        func add(to formats: inout [Int: Formats], common: HDACapabilities) {
            let capabilities = own.rates.isEmpty ? common : own
            let samples = capabilities.sampleFormats
            guard let direction, let device, channelCount > 0, !samples.isEmpty, !capabilities.rates.isEmpty,
                formats.count < limit
            else { return }
            NativeFormatFiles.add(
                NativeFormat(sampleFormats: samples, channelCount: channelCount, ratesHz: capabilities.rates),
                to: &formats[device, default: Formats()][keyPath: direction])
        }
    }

    /// `Device: name="Generic Analog", type="Audio", device=0`; a name may hold anything.
    private static func deviceNumber(of words: [Substring]) -> Int? {
        guard let last = words.last, last.hasPrefix("device=") else { return nil }
        return number(last.dropFirst(7), in: 0...1024)
    }

    private static func add(_ format: NativeFormat, to formats: inout [NativeFormat]) {
        if formats.count < limit, !formats.contains(format) { formats.append(format) }
    }

    /// `16000, 44100` or `8000 - 48000`.
    private static func rates(_ words: some Sequence<Substring>) -> [Int] {
        let rates = words.lazy.compactMap { number($0.hasSuffix(",") ? $0.dropLast() : $0, in: 1...10_000_000) }
        return Set(rates.prefix(limit)).sorted()
    }

    private static func number(_ text: Substring, in range: ClosedRange<Int>) -> Int? {
        Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
}
