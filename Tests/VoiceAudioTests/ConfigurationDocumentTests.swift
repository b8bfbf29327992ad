import Foundation
import Testing

@testable import VoiceAudio

/// The table in the documentation is the table in the code.
@Test func theConfigurationDocumentIsTheTable() throws {
    let document = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Docs/Configuration.md").standardized
    let rows = try String(contentsOf: document, encoding: .utf8).split(separator: "\n")
        // The monitor's are in a table of their own.
        .filter { $0.hasPrefix("| `VOICE_AUDIO_") && !$0.hasPrefix("| `VOICE_AUDIO_MONITOR_") }.map(String.init)
    let expected = SettingDescription.all.map { description in
        let property = description.setting == .blockDeadline ? "overflow" : description.setting.rawValue
        return "| `\(description.variable)` | `\(property)` | \(description.defaultText) | \(description.accepted) |"
    }
    #expect(rows == expected)
}
