import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO
import VoiceAudioMonitor

private let browserReason: Comment = "needs Chromium: Scripts/setup --page installs it"

/// The page in a real browser, against the real server.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Browser.path != nil, browserReason))
struct PageInBrowserTests {
    private static let token = "correct-horse-battery-staple"
    private let reporter = SystemReporter(monitor: MemoryPressureMonitor())
    private let processor = AudioProcessor(source: SimulatedSource.speech())

    init() throws {
        reporter.add(processor, named: "kitchen")
        try processor.arm()
    }

    private func server(_ address: String = "127.0.0.1", port: UInt16 = 0) throws -> MonitorServer {
        let configuration = MonitorConfiguration(endpoint: .tcp(address: address, port: port), token: Self.token)
        let server = MonitorServer(reporter, configuration: configuration)
        try server.start()
        return server
    }

    private static let isWell = "document.querySelector('#verdict').dataset.kind === 'well'"
    private static let isLive = "document.querySelector('#connection').dataset.state === 'live'"

    /// Types a token in and presses the button, all by keyboard.
    private func cleanUp(_ token: String, in browser: Browser) throws -> String {
        _ = try browser.evaluate(
            """
            document.querySelector('#token').value = ''
            document.querySelector('#cleanup-result').textContent = ''
            """)
        try browser.type(token, into: "#token")
        try browser.press(.tab)
        try browser.press(.enter)
        let result = "document.querySelector('#cleanup-result').textContent"
        #expect(try browser.eventually("!['', 'Cleaning up…'].includes(\(result))"))
        return try #require(try browser.text("#cleanup-result"))
    }

    @Test func itShowsAtAGlanceThatAllIsWellAndALevelThatMoves() throws {
        let server = try server()
        let browser = try Browser()
        try browser.open(try #require(server.url))
        #expect(try browser.eventually(Self.isWell))
        #expect(try browser.text("#verdict-text") == "All is well" && browser.text(".capture-name") == "kitchen")
        #expect(try browser.eventually("document.querySelector('.level').ariaValueText !== null"))
        let level = "document.querySelector('.level').ariaValueText"
        let first = try #require(try browser.evaluate(level) as? String)
        #expect(try browser.eventually("\(level) !== \(Self.quoted(first))"))
        // And the canvas is drawn on.
        #expect(
            try browser.eventually(
                """
                (() => { const canvas = document.querySelector('.wave'); const { width, height } = canvas
                  return width > 0 && new Set(canvas.getContext('2d').getImageData(0, 0, width, height).data).size > 8 })()
                """))
        #expect(try browser.eventually("/^[0-9.]+ MiB$/.test(document.querySelector('#memory-resident').textContent)"))
        #expect(try browser.eventually("document.querySelectorAll('#threads dt').length >= 2"))
        #expect(try browser.evaluate("document.documentElement.scrollWidth <= innerWidth") as? Bool == true)
        try save(browser, "light")
        try browser.open(try #require(server.url), width: 390, height: 844, isDark: true)
        #expect(try browser.eventually(Self.isWell))
        #expect(try browser.evaluate("document.documentElement.scrollWidth <= innerWidth") as? Bool == true)
        try save(browser, "phone-dark")
        #expect(browser.complaints.isEmpty, "\(browser.complaints)")
        processor.cleanup()
    }

    @Test func whatIsWrongIsSaidInASentenceAndNotByColourAlone() throws {
        let source = ScriptedSource()
        let door = AudioProcessor(source: source, configuration: .scripted())
        reporter.add(door, named: "door <b>&")
        let server = try server()
        let browser = try Browser()
        try browser.open(try #require(server.url))
        #expect(try browser.eventually(Self.isWell))
        try door.arm()
        source.push(.fail(AudioError(.deviceLost, "the door's microphone was torn off")))
        #expect(try browser.eventually("document.querySelector('#verdict').dataset.kind === 'failure'"))
        let sentence = try #require(try browser.text("#verdict-text"))
        #expect(sentence.hasPrefix("\"door <b>&\"") && sentence.contains("torn off"), "\(sentence)")
        // The icon is another, too.
        let icon = "getComputedStyle(document.querySelector('#verdict .for-failure')).display !== 'none'"
        #expect(try browser.evaluate(icon) as? Bool == true)
        #expect(
            try browser.eventually(
                "document.querySelector('.capture[data-kind=failure] h3').textContent === 'door <b>&'"))
        try save(browser, "failure")
        door.cleanup()
        #expect(try browser.eventually(Self.isWell))
        #expect(browser.complaints.isEmpty, "\(browser.complaints)")
        processor.cleanup()
    }

    @Test func theButtonCleansUpWithATokenAndIsRefusedWithout() throws {
        let server = try server()
        let browser = try Browser()
        try browser.open(try #require(server.url))
        #expect(try browser.eventually(Self.isLive))
        let answers = try ["", "a wrong one"].map { try cleanUp($0, in: browser) }
        #expect(answers.allSatisfy { $0.hasPrefix("Refused: ") }, "\(answers)")
        #expect(processor.memoryUsage.drops.cleanedUp.chunks == 0)
        #expect(eventually { processor.memoryUsage.bufferSize > 0 })
        let result = try cleanUp(Self.token, in: browser)
        #expect(
            result.firstMatch(of: /The process has [0-9.]+ [MG]iB, before it had [0-9.]+ [MG]iB\./) != nil, "\(result)")
        #expect(processor.memoryUsage.drops.cleanedUp.chunks > 0)
        processor.cleanup()
    }

    @Test func itSaysThatTheConnectionIsLostAndComesBackByItself() throws {
        let first = try server()
        let url = try #require(first.url)
        let port = try #require(UInt16(url.split(separator: ":").last ?? ""))
        let browser = try Browser()
        try browser.open(url)
        #expect(try browser.eventually(Self.isWell))
        #expect(first.stop(deadline: .seconds(60)))
        #expect(
            try browser.eventually("/^Connection lost: /.test(document.querySelector('#verdict-text').textContent)"))
        #expect(try browser.evaluate("document.body.classList.contains('stale')") as? Bool == true)
        let second = try server(port: port)
        #expect(try browser.eventually(Self.isWell) && browser.eventually(Self.isLive))
        #expect(try browser.evaluate("document.body.classList.contains('stale')") as? Bool == false)
        second.stop()
        processor.cleanup()
    }

    /// Figures of no span and of no sample are not there, where the clock was set back or the program began anew.
    @Test func whatIsNotKnownIsNotShown() throws {
        let server = try server()
        let browser = try Browser()
        try browser.open(try #require(server.url))
        let shown = try browser.evaluate(
            """
            (async () => {
              const tiles = await import('/tiles.js?once-more')
              const losses = { device: 0, refused: 0, cleaned: 0, missed: 0, evicted: 0 }
              const show = (seconds, cpu_seconds) => {
                const process = {
                  cpu_seconds, resident_bytes: 0, ring_bytes: 0, ring_limit_bytes: 0, threads: {}, quarantined_threads: 0,
                }
                const levels = { seconds, process, pressure: { limit_bytes: 0 }, budgets: [], registries: [] }
                tiles.show(levels, losses, false)
                return document.querySelector('#threads').textContent
              }
              const loads = [show(1000, 1), show(1002, 2), show(500, 2.5), show(502, 3.5), show(504, 0.1)]
              return [...loads, document.querySelector('#pressure-level').textContent]
            })()
            """)
        let load = "processor time50.0 %"
        #expect(shown as? [String] == ["", load, "", load, "", "Not known"])
        #expect(browser.complaints.isEmpty, "\(browser.complaints)")
        processor.cleanup()
    }

    @Test func whereATokenIsNeededToLookItAsksForIt() throws {
        let server = try server("0.0.0.0")
        let port = try #require(server.url?.split(separator: ":").last)
        let browser = try Browser()
        try browser.open("http://127.0.0.1:\(port)/")
        #expect(try browser.eventually("/wants its token/.test(document.querySelector('#verdict-text').textContent)"))
        try browser.type(Self.token, into: "#token")
        try browser.press(.enter)
        #expect(try browser.eventually(Self.isWell))
        // Nobody has asked for a clean-up.
        #expect(try browser.text("#cleanup-result") == "" && processor.memoryUsage.drops.cleanedUp.chunks == 0)
        processor.cleanup()
    }

    @Test func twoHundredFiftySixSessionsDrawOnlyWhatIsVisible() throws {
        let registry = SessionRegistry(limits: .init(sessions: 256, memory: .mebibytes(64)))
        reporter.add(registry)
        let sources = try (0..<256).map { number in
            let source = PushSource(
                format: StreamFormat(AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: .s16)))
            _ = try registry.begin("call-\(number)", source: source)
            return source
        }
        let server = try server()
        let browser = try Browser()
        try browser.open(try #require(server.url))
        #expect(try browser.eventually("document.querySelectorAll('.capture').length === 257"))
        let drawn = "[...document.querySelectorAll('.wave')].filter((canvas) => canvas.width !== 300).length"
        #expect(try browser.eventually("\(drawn) > 0"))
        let count = try #require(try browser.evaluate(drawn) as? Int)
        #expect(count < 100)
        _ = try browser.evaluate(
            """
            document.querySelector('#filter').value = 'CALL-25'
            document.querySelector('#filter').dispatchEvent(new Event('input'))
            """)
        // call-25 and call-250 to call-255.
        #expect(try browser.evaluate("document.querySelectorAll('.capture:not([hidden])').length") as? Int == 7)
        #expect(browser.complaints.isEmpty, "\(browser.complaints)")
        withExtendedLifetime(sources) {}
        _ = registry.endAll(deadline: .seconds(60))
        processor.cleanup()
    }

    private static func quoted(_ text: String) -> String { "'\(text)'" }

    /// Keeps a picture for people to look at, where `PAGE_SCREENSHOTS` names a directory.
    private func save(_ browser: Browser, _ name: String) throws {
        let picture = try browser.screenshot()
        #expect(picture.count > 10_000)
        guard let directory = ProcessInfo.processInfo.environment["PAGE_SCREENSHOTS"] else { return }
        try picture.write(to: URL(fileURLWithPath: directory).appendingPathComponent("\(name).png"))
    }
}
