import Foundation
import Testing

/// Every test that the documentation says guards an invariant is there.
@Test func theArchitectureDocumentNamesRealTests() throws {
    let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
    let document = try String(contentsOf: root.appendingPathComponent("Docs/Architecture.md"), encoding: .utf8)
    let section = try #require(document.components(separatedBy: "\n## ").first { $0.hasPrefix("Invariants") })
    let named = section.matches(of: /`([a-z][A-Za-z0-9]*)`/).map { String($0.1) }
    #expect(named.count > 20)

    let enumerator = FileManager.default.enumerator(
        at: root.appendingPathComponent("Tests"), includingPropertiesForKeys: nil)
    let files = try #require(enumerator).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
    let tests = try files.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    let missing = named.filter { !tests.contains("func \($0)(") }
    #expect(missing == [])
}
