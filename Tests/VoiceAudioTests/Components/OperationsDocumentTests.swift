import Foundation
import Testing

@testable import VoiceAudio

/// What the documentation says is logged is what the code logs.
@Suite struct OperationsDocumentTests {
    private struct Row: Hashable {
        let line: String
        let level: String
        let third: String
    }

    private let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardized

    /// Each line of a registry of components, with its level and metadata, and no other.
    @Test func theOperationsDocumentHasEachLineOfComponents() throws {
        let expected = ComponentEvent.allCases.map { event in
            Row(
                line: event.message, level: event.level.rawValue,
                third: event.details.map { "`\($0)`" }.joined(separator: ", "))
        }
        let rows = try rows(inSection: "Components")
        #expect(rows == expected)
    }

    /// Each line with fixed words that the library logs elsewhere, with its level.
    @Test func theOperationsDocumentHasEachLineThatIsLogged() throws {
        let documented = try rows(ofAll: ["Capture", "Sessions", "Shutdown", "Memory", "Monitor"])
        let logged = try sources().flatMap { source in
            source.components(separatedBy: "log(").dropFirst().compactMap { call in
                call.prefix(400).prefixMatch(of: /\s*(?:level: )?\.(\w+),\s*(?:message: )?"((?:[^"\\]|\\.)*)"/)
                    .map { (level: String($0.1), line: Self.plain(String($0.2))) }
            }
        }
        #expect(logged.count >= 15)
        for (level, line) in logged {
            let isThere = documented.contains { $0.line == line && $0.level == level }
            #expect(isThere, "Docs/Operations.md lacks \"\(line)\" at level \(level)")
        }
    }

    @Test func noLineOfTheOperationsDocumentIsInvented() throws {
        let documented = try rows(ofAll: ["Capture", "Sessions", "Shutdown", "Memory", "Monitor"])
        #expect(documented.count >= 20)
        let code = try sources().joined(separator: "\n").replacingOccurrences(of: "\\\"", with: "\"")
        for row in documented {
            let parts = row.line.split(separator: "…").map(String.init)
            for part in parts { #expect(code.contains(part), "nothing logs \"\(row.line)\"") }
        }
    }

    /// A literal as it reads, with `…` for what is put in.
    private static func plain(_ literal: String) -> String {
        literal.replacing(/\\\((?:[^()]|\([^()]*\))*\)/, with: "…").replacing("\\\"", with: "\"")
    }

    private func rows(ofAll sections: [String]) throws -> [Row] { try sections.flatMap { try rows(inSection: $0) } }

    private func rows(inSection name: String) throws -> [Row] {
        let document = try String(contentsOf: root.appendingPathComponent("Docs/Operations.md"), encoding: .utf8)
        let section = try #require(document.components(separatedBy: "\n## ").first { $0.hasPrefix(name + "\n") })
        return section.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("| `"), let end = line.range(of: "` | ") else { return nil }
            let cells = line[end.upperBound...].components(separatedBy: "|").map { cell in
                cell.trimmingCharacters(in: .whitespaces)
            }
            return Row(line: String(line.dropFirst(3).prefix(upTo: end.lowerBound)), level: cells[0], third: cells[1])
        }
    }

    /// The library's, without the command's and the components', which have a table of their own.
    private func sources() throws -> [String] {
        let enumerator = FileManager.default.enumerator(
            at: root.appendingPathComponent("Sources").resolvingSymlinksInPath(), includingPropertiesForKeys: nil)
        let files = try #require(enumerator).compactMap { $0 as? URL }.filter { file in
            file.pathExtension == "swift" && !file.path.contains("/voice-audio/")
                && !file.path.contains("/Components/")
        }
        #expect(files.count > 100)
        return try files.map { try String(contentsOf: $0, encoding: .utf8) }
    }
}
