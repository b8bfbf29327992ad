import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioMonitor

/// Whom a server answers, and what.
@Suite(.timeLimit(.minutes(5))) struct RequestRuleTests {
    private func error(of reply: HTTPClient.Reply) throws -> String {
        try JSONDecoder().decode([String: String].self, from: Data(reply.body.utf8))["error"] ?? ""
    }

    @Test func aResponseHasItsHeadersAndBody() throws {
        let bench = try ServerBench()
        let client = try bench.connect()
        for _ in 0..<3 {
            let reply = try client.ask("GET", "/hello")
            #expect(reply.status == 200 && reply.body == "hello")
            #expect(reply.headers["x-content-type-options"] == "nosniff")
            #expect(reply.headers["cache-control"] == "no-store" && reply.headers["referrer-policy"] == "no-referrer")
            #expect(reply.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(!reply.headers.keys.contains { $0.hasPrefix("access-control") })
        }
        let head = try client.ask("HEAD", "/hello")
        #expect(head.status == 200 && head.headers["content-length"] == "5")
        #expect(try client.ask("GET", "/hello?a=b").body == "hello")
    }

    @Test func unknownPathsAndMethodsAreRefused() throws {
        let bench = try ServerBench()
        let missing = try bench.connect().ask("GET", "/other")
        #expect(missing.status == 404)
        #expect(try error(of: missing).contains("/hello"))
        for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "HELLO"] {
            let reply = try bench.connect().ask(method, "/hello")
            #expect(reply.status == 405 && reply.headers["allow"] == "GET, HEAD, POST", "\(method)")
        }
    }

    /// A page that a browser was led to by a name of somebody else's.
    @Test(arguments: [
        ("localhost", 200), ("LOCALHOST:80", 200), ("127.0.0.1", 200), ("127.0.0.1:8080", 200), ("[::1]", 200),
        ("[::1]:80", 200), ("recorder.lan", 200), ("Recorder.LAN:8080", 200), ("evil.example", 421),
        ("evil.example:80", 421), ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("10.0.0.1", 421),
        ("localhost:x", 421), ("[::1", 421), ("", 421), ("user@localhost", 421), ("::1", 421), ("localhost:", 421),
    ])
    func theHostHasToBeThisOne(_ host: String, _ status: Int) throws {
        let bench = try ServerBench(allowedHosts: ["recorder.lan"])
        #expect(try bench.connect().ask("GET", "/hello", host: host).status == status)
    }

    /// However an address is written, here and there.
    @Test func anAddressIsKnownInEachOfItsForms() {
        #expect(HostNames(address: "2001:DB8:0::1", allowed: []).accept("[2001:db8::1]:80"))
        #expect(!HostNames(address: "2001:DB8:0::1", allowed: []).accept("[2001:db8::2]"))
        for all in ["::", "::0", "0:0:0:0:0:0:0:0", "0.0.0.0"] {
            #expect(HostNames(address: all, allowed: []).accept("[2001:db8::1]"), "\(all)")
            #expect(!HostNames(address: all, allowed: []).accept("evil.example"), "\(all)")
        }
    }

    @Test func twoHostsOrNoneAreRefused() throws {
        let bench = try ServerBench()
        #expect(try bench.connect().ask("GET", "/hello", host: nil).status == 400)
        let client = try bench.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        #expect([400, 421].contains(try client.reply().status))
        let old = try bench.connect()
        old.send("GET /hello HTTP/1.0\r\n\r\n")
        #expect(try old.reply().status == 421)
    }

    @Test func aPostNeedsTheToken() throws {
        let bench = try ServerBench()
        let client = try bench.connect()
        #expect(try client.ask("POST", "/hello", ServerBench.authorization, body: "").body == "done")
        #expect(try client.ask("POST", "/hello", ServerBench.authorization).body == "done")
        let token = ServerBench.token
        for header in [
            nil, "", "Bearer", "Bearer ", "Bearer \(token)x", "Bearer \(token.dropLast())",
            "Bearer x\(token.dropFirst())",
            "Basic \(token)", token, "Bearer \(token.uppercased())", "Bearer " + String(repeating: "0", count: 4000),
        ] {
            let reply = try bench.connect().ask("POST", "/hello", header.map { ["Authorization": $0] } ?? [:], body: "")
            #expect(reply.status == 401, "\(header ?? "none")")
            #expect(reply.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
        }
        let lenient = try bench.connect().ask("POST", "/hello", ["Authorization": "bearer  \(token)"], body: "")
        #expect(lenient.status == 200)
    }

    @Test func withoutATokenEachPostIsRefused() throws {
        let bench = try ServerBench(token: nil)
        let reply = try bench.connect().ask("POST", "/hello", ServerBench.authorization, body: "")
        #expect(reply.status == 403)
        #expect(try error(of: reply).contains("token"))
        #expect(try bench.connect().ask("GET", "/hello").status == 200)
    }

    /// On an address that others can reach each request needs the token.
    @Test func elsewhereEachRequestNeedsTheToken() throws {
        let bench = try ServerBench(endpoint: .tcp(address: "0.0.0.0", port: 0))
        let url = try #require(bench.server.url).replacing("0.0.0.0", with: "127.0.0.1")
        #expect(try HTTPClient(url).ask("GET", "/hello").status == 401)
        #expect(try HTTPClient(url).ask("GET", "/other").status == 401)
        #expect(try HTTPClient(url).ask("GET", "/hello", ServerBench.authorization).status == 200)
        #expect(try HTTPClient(url).ask("GET", "/hello", host: "10.1.2.3:80", ServerBench.authorization).status == 200)
        #expect(try HTTPClient(url).ask("GET", "/hello", host: "evil.example", ServerBench.authorization).status == 421)
    }

    @Test(arguments: [
        ("POST", ["Origin": "http://localhost"], 200), ("POST", ["Origin": "http://evil.example"], 403),
        ("POST", ["Origin": "null"], 403), ("POST", ["Origin": "http://localhost:81"], 403),
        ("POST", ["Sec-Fetch-Site": "cross-site"], 403), ("POST", ["Sec-Fetch-Site": "same-origin"], 200),
        ("POST", ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"], 403),
        ("GET", ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"], 403),
        ("GET", ["Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"], 200),
        ("GET", ["Origin": "http://evil.example"], 200),
    ])
    func pagesFromElsewhereAreRefused(_ method: String, _ headers: [String: String], _ status: Int) throws {
        let bench = try ServerBench()
        let all = headers.merging(ServerBench.authorization) { $1 }
        #expect(try bench.connect().ask(method, "/hello", all).status == status)
    }

    @Test func bodiesAndHeadersHaveLimits() throws {
        let bench = try ServerBench()
        let ask = { (body: String) in
            try bench.connect().ask("POST", "/hello", ServerBench.authorization, body: body).status
        }
        #expect(try ask(String(repeating: "x", count: 1024)) == 200)
        #expect(try ask(String(repeating: "x", count: 1025)) == 413)
        let large = try bench.connect()
        large.send("POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
        #expect(try large.reply().status == 413)
        let chunked = try bench.connect().ask("POST", "/hello", ["Transfer-Encoding": "chunked"])
        #expect(chunked.status == 411)
        let long = try bench.connect()
        long.send("GET /hello HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "x", count: 40_000))\r\n\r\n")
        #expect(try long.reply().status == 431)
        let line = try bench.connect()
        line.send("GET /\(String(repeating: "x", count: 40_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect([414, 431].contains(try line.reply().status))
        let usual = try bench.connect().ask("GET", "/hello", ["X": String(repeating: "x", count: 8000)])
        #expect(usual.status == 200)
    }

    /// However many are refused, there is one line, and another with how many more there were.
    @Test func refusalsAreLoggedOnceAndCounted() throws {
        let bench = try ServerBench()
        let refusal = "warning: the monitor refused a request"
        let warnings = { bench.log.lines.filter { $0.hasPrefix(refusal) } }
        for _ in 0..<20 { _ = try bench.connect().ask("GET", "/other") }
        #expect(warnings() == [refusal])
        bench.clock.advance(by: .seconds(10))
        for _ in 0..<3 { _ = try bench.connect().ask("GET", "/other") }
        #expect(warnings() == [refusal, refusal + " (19 times more in 0.0 s)", refusal])
        // Nor is the last of them forgotten at the end.
        bench.server.stop(deadline: .seconds(60))
        #expect(warnings().last == refusal + " (2 times more in 0.0 s)")
    }

    /// A program that collapses its lines loses no count to the server's doing the same.
    @Test func refusalsAreCountedOnceWhereTheProgramCollapsesItsLines() throws {
        let log = LineLog()
        let clock = ManualClock()
        let server = MonitorServer(
            MonitorRoutes(), configuration: MonitorConfiguration(), limits: MonitorLimits(),
            logSink: CollapsingLogSink(log, clock: clock), clock: clock)
        try server.start()
        for _ in 0..<5 { _ = try HTTPClient(server.url ?? "").ask("GET", "/other") }
        server.stop(deadline: .seconds(60))
        let refusal = "warning: the monitor refused a request"
        #expect(log.lines.filter { $0.hasPrefix(refusal) } == [refusal, refusal + " (4 times more in 0.0 s)"])
    }
}
