import FoundationEssentials
import VoiceAudio

/// Prints `value` as JSON. The encoder costs 3 MB of memory at its first use: only where the user asks for JSON.
func printJSON(_ value: some Encodable) throws(CommandFailure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    } catch {
        throw CommandFailure(AudioError(.init(rawValue: "notEncodable"), "cannot write this as JSON: \(error)"))
    }
}
