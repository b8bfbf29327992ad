import FoundationEssentials
import VoiceAudio

/// Prints `value` as JSON. The encoder costs 3 MB of memory at its first use: only where the user asks for JSON.
func printJSON(_ value: some Encodable, toStandardError: Bool = false) throws(CommandFailure) {
    let text = try json(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    if toStandardError { StandardError.write(text + "\n") } else { print(text) }
}

/// Prints `value` as JSON in one line.
func printJSONLine(_ value: some Encodable) throws(CommandFailure) {
    print(try json(value, [.sortedKeys, .withoutEscapingSlashes]))
}

private func json(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws(CommandFailure) -> String
{
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    do {
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
        throw CommandFailure(AudioError(.init(rawValue: "notEncodable"), "cannot write this as JSON: \(error)"))
    }
}
