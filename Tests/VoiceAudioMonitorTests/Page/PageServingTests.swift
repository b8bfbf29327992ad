import Testing
import VoiceAudio
import VoiceAudioCore

@testable import VoiceAudioMonitor

/// The page and its feed, as the server gives them out.
@Suite(.timeLimit(.minutes(5))) struct PageServingTests {
    private let routes = MonitorRoutes.all(of: SystemReporter(), clock: SystemClock())

    @Test func eachFileIsServedWithItsPolicy() throws {
        let bench = try ServerBench(routes)
        for (path, response) in MonitorPage.responses {
            let reply = try bench.connect().ask("GET", path)
            #expect(reply.status == 200 && Array(reply.body.utf8) == response.body, "\(path)")
            #expect(reply.headers["content-type"] == response.contentType, "\(path)")
            #expect(reply.headers["content-security-policy"] == MonitorPage.contentSecurityPolicy, "\(path)")
        }
        #expect(try bench.connect().ask("GET", "/page.html").status == 404)
    }

    /// Without the page nobody could enter the token; with it alone nobody knows anything.
    @Test func whereATokenIsNeededThePageIsServedWithoutAndNothingElse() throws {
        let bench = try ServerBench(routes, endpoint: .tcp(address: "0.0.0.0", port: 0))
        let url = try #require(bench.server.url).replacing("0.0.0.0", with: "127.0.0.1")
        for path in MonitorPage.responses.keys {
            #expect(try HTTPClient(url).ask("GET", path).status == 200, "\(path)")
            #expect(try HTTPClient(url).ask("POST", path).status == 401, "\(path)")
            #expect(try HTTPClient(url).ask("GET", path, host: "evil.example").status == 421, "\(path)")
        }
        for path in routes.get.keys where MonitorPage.responses[path] == nil {
            #expect(try HTTPClient(url).ask("GET", path).status == 401, "\(path)")
        }
    }

    @Test func theFeedBeginsWithTheStates() throws {
        let bench = try ServerBench(routes, time: SystemClock())
        let client = try bench.connect()
        client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let head = try #require(client.read(upTo: "\r\n\r\n"))
        #expect(head.hasPrefix("HTTP/1.1 200") && head.lowercased().contains("content-type: text/event-stream"))
        let first = try #require(client.read(upTo: "\n\n"))
        #expect(first.contains("event: states\nid: 1\ndata: {"))
        #expect(try #require(client.read(upTo: "\n\n")).contains("event: levels\nid: 1\ndata: {"))
    }
}
