import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioMonitor

/// What no client should send.
@Suite(.timeLimit(.minutes(5))) struct MalformedRequestTests {
    private static let pieces = [
        "GET ", "POST ", "HEAD ", "get ", "/hello", "/", "//..//", "/%00", "/%", "?", "?what=", "&&=", " HTTP/1.1\r\n",
        " HTTP/1.0\r\n",
        " HTTP/9.9\r\n", " HTTP/1.1\n", "\r\n", "\n", "\r", "\0", "Host: localhost\r\n", "Host:\r\n", ": \r\n",
        " folded\r\n",
        "Content-Length: 5\r\n", "Content-Length: -1\r\n", "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: x\r\n", "Expect: 100-continue\r\n",
        "Connection: close\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\n", "Authorization: Bearer \(ServerBench.token)\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{16}\u{3}\u{1}", "Cookie: a=b\r\n", "\r\n\r\n",
    ]

    /// Several thousand, of pieces that requests are made of and bytes that they are not: it answers or closes, and then
    /// serves the next one as if nothing had been.
    @Test func nothingThatIsSentBreaksIt() throws {
        let bench = try ServerBench(time: SystemClock())
        var random = SeededGenerator(seed: SeededGenerator.freshSeed())
        for round in 0..<4000 {
            var bytes: [UInt8] = []
            for _ in 0...random.below(12) {
                if random.below(8) == 0 {
                    bytes += (0..<random.below(64)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                } else {
                    bytes += [UInt8](Self.pieces[random.below(Self.pieces.count)].utf8)
                }
            }
            let client = try bench.connect()
            client.send(bytes)
            guard round % 100 == 0 else { continue }
            let status = try bench.connect().ask("GET", "/hello").status
            #expect(status == 200, "seed \(random.seed), round \(round)")
        }
        #expect(bench.server.stop(deadline: .seconds(60)))
    }

    /// Several requests in one packet, one of them in pieces.
    @Test func requestsMayComeTogetherAndInPieces() throws {
        let bench = try ServerBench()
        let client = try bench.connect()
        let request = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
        client.send(String(repeating: request, count: 20) + "GET /hel")
        for _ in 0..<20 { #expect(try client.reply().body == "hello") }
        for byte in "lo HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8 { client.send([byte]) }
        #expect(try client.reply().body == "hello")
    }
}
