import Foundation
import Testing

/// The tests that the documentation names are there.
struct ArchitectureDocumentTests {
    private let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized

    /// Those that guard an invariant.
    @Test func theArchitectureDocumentNamesRealTests() throws {
        let document = try text(of: "Docs/Architecture.md")
        let section = try #require(document.components(separatedBy: "\n## ").first { $0.hasPrefix("Invariants") })
        let named = names(in: section)
        #expect(named.count > 20)
        #expect(try missingTests(among: named) == [])
    }

    /// Those of the twenty pains, each of which has some, and those in the kernel.
    @Test func theReliabilityDocumentNamesRealTests() throws {
        let sections = try text(of: "Docs/Reliability.md").components(separatedBy: "\n## ").filter { section in
            section.hasPrefix("In a real kernel") || section.hasPrefix("Twenty pains")
        }
        #expect(sections.count == 2)
        let pains = try #require(sections.first { $0.hasPrefix("Twenty") }).split(separator: "\n").filter { line in
            line.prefixMatch(of: /\| \d+ \|/) != nil
        }
        #expect(pains.count == 20)
        #expect(pains.allSatisfy { !names(in: $0).isEmpty })
        let named = sections.flatMap { names(in: $0) }.filter { $0 != "lossBefore" }
        #expect(try missingTests(among: named) == [])
    }

    private func names(in text: some StringProtocol) -> [String] {
        String(text).matches(of: /`([a-z][A-Za-z0-9]*)`/).map { String($0.1) }
    }

    private func missingTests(among names: [String]) throws -> [String] {
        let enumerator = FileManager.default.enumerator(
            at: root.appendingPathComponent("Tests"), includingPropertiesForKeys: nil)
        let files = try #require(enumerator).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
        let tests = try files.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
        return names.filter { !tests.contains("func \($0)(") }
    }

    private func text(of file: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
    }
}
