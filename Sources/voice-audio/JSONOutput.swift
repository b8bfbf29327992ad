import FoundationEssentials
import VoiceAudio

/// Prints `value` as JSON. The encoder costs 3 MB of memory at its first use: only where the user asks for JSON.
func printJSON(_ value: some Encodable, toStandardError: Bool = false) throws(CommandFailure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        if toStandardError { writeToStandardError(text + "\n") } else { print(text) }
    } catch {
        throw CommandFailure(AudioError(.init(rawValue: "notEncodable"), "cannot write this as JSON: \(error)"))
    }
}
