import Foundation
import Testing

@testable import VoiceAudioMonitor

/// The page's files as they are served.
@Suite struct PageFileTests {
    private func text(_ path: String) throws -> String {
        let response = try #require(MonitorPage.responses[path])
        return try #require(String(bytes: response.body, encoding: .utf8))
    }

    @Test func aPolicyForbidsWhatIsNotTheServersOwn() {
        for (path, response) in MonitorPage.responses {
            let policy = response.headers["Content-Security-Policy"] ?? ""
            for rule in ["default-src 'none'", "script-src 'self'", "form-action 'none'", "frame-ancestors 'none'"] {
                #expect(policy.contains(rule), "\(path) lacks \(rule)")
            }
            #expect(!policy.contains("unsafe") && !policy.contains("*"), "\(path)")
        }
    }

    @Test(arguments: MonitorPage.responses.keys.sorted()) func nothingComesFromOutsideOrStandsInline(path: String)
        throws
    {
        let text = try text(path).replacing("http://www.w3.org/2000/svg", with: "")
        #expect(text.firstMatch(of: /(https?:)?\/\/[a-z0-9-]+\.[a-z]/) == nil)
        #expect(
            text.firstMatch(of: /@import|url\(|\beval\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write/) == nil)
        // In a page, a policy without 'unsafe-inline' would silently leave these out.
        #expect(text.firstMatch(of: /<style|<script(?![^>]* src=)|\son[a-z]+="|\sstyle="/) == nil)
        // Reading is for people, too.
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 } && !text.contains("\t"))
    }

    @Test func whatThePageNamesIsServed() throws {
        var named: Set<String> = ["/"]
        for match in try text("/").matches(of: /(?:href|src)="(\/[^"]*)"/) { named.insert(String(match.1)) }
        for path in MonitorPage.responses.keys where path.hasSuffix(".js") {
            for match in try text(path).matches(of: /from "\.(\/[a-z.]+)"/) { named.insert(String(match.1)) }
        }
        #expect(named == Set(MonitorPage.responses.keys))
    }

    @Test func whatScriptsLookForIsInThePage() throws {
        let page = try text("/")
        for path in MonitorPage.responses.keys where path.hasSuffix(".js") {
            for match in try text(path).matches(of: /(?:find|getElementById)\("([a-z-]+)"\)/) {
                let element = try Regex("(id=\"|class=\"[^\"]*\\b)\(match.1)[ \"]")
                #expect(page.firstMatch(of: element) != nil, "\(path) looks for \(match.1)")
            }
        }
    }

    @Test func itIsSmall() {
        let byteCount = MonitorPage.responses.values.reduce(0) { $0 + $1.body.count }
        #expect(byteCount > 10_000 && byteCount < 100_000)
    }

    @Test func typesAreWhatBrowsersWant() {
        let types = ["html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"]
        for (path, response) in MonitorPage.responses {
            let ending = path == "/" ? "html" : String(path.split(separator: ".").last ?? "")
            #expect(response.status == 200 && response.contentType.hasPrefix(types[ending] ?? "?"), "\(path)")
        }
    }
}
