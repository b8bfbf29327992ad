import Foundation
import TestSupport
import Testing
import VoiceAudio

/// `voice-audio monitor`, run as a process.
@Suite(.timeLimit(.minutes(5))) struct MonitorCommandTests {
    /// One run, which ends by itself after a minute.
    private final class Run {
        let process = Process()
        private let output = Pipe()
        private let errors = Pipe()

        init(command: String = "monitor", _ arguments: [String], environment: [String: String] = [:]) throws {
            process.executableURL = programBesideTests("voice-audio")
            process.arguments = [command, "--seconds", "60"] + arguments
            process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("VOICE_AUDIO_") }
                .merging(environment) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = errors
            try process.run()
        }

        /// The URL, which it prints once it listens.
        func url() throws -> String {
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            try #require(line.hasSuffix("\n"))
            return String(line.dropLast())
        }

        /// Its end.
        func end() -> (status: Int32, errors: String) {
            let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return (process.terminationReason == .exit ? process.terminationStatus : -1, text)
        }
    }

    private final class Directory {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false) }
        deinit { try? FileManager.default.removeItem(at: url) }
        func path(_ name: String) -> String { url.appendingPathComponent(name).path }
    }

    private func get(_ path: String, at url: String, method: String = "GET", token: String? = nil) throws
        -> HTTPClient.Reply
    {
        let client = try HTTPClient(url)
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        client.send("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\(authorization)\r\n")
        return try client.reply()
    }

    @Test func itCapturesAndServesUntilItIsAskedToEnd() throws {
        let run = try Run(["--device", "sim:tone=440", "--port", "0"])
        let url = try run.url()
        #expect(url.hasPrefix("http://127.0.0.1:"))
        #expect(eventually { (try? get("/readyz", at: url).status) == 200 })
        let reply = try get("/system-resources", at: url)
        let report = try JSONDecoder().decode(SystemReport.self, from: Data(reply.body.utf8))
        #expect(report.processors.map(\.name) == ["sim:tone=440"])
        #expect(report.processors.first?.state == "ready")
        #expect(report.pressure != nil && report.disk != nil)
        #expect(report.budgets.map(\.name) == ["capture"])
        #expect(report.threads.map(\.name).contains("va-monitor"))
        // Without a token nobody changes anything.
        #expect(try get("/cleanup-resources", at: url, method: "POST").status == 403)
        run.process.terminate()
        let end = run.end()
        #expect(end.status == 0)
        #expect(end.errors.hasPrefix("voice-audio: monitoring \"sim:tone=440\"; Ctrl-C ends it\n"))
    }

    @Test func aTokenFromAFileLetsIn() throws {
        let directory = try Directory()
        let token = "0123456789abcdef"
        try Data("\(token)\n".utf8).write(to: URL(fileURLWithPath: directory.path("token")))
        let run = try Run(["--device", "sim:", "--port", "0", "--token-file", directory.path("token")])
        let url = try run.url()
        #expect(try get("/cleanup-resources", at: url, method: "POST").status == 401)
        #expect(try get("/cleanup-resources?what=buffers", at: url, method: "POST", token: token).status == 200)
        run.process.interrupt()
        let end = run.end()
        #expect(end.status == 0)
        #expect(!end.errors.contains(token))
    }

    /// Whoever asks in vain again and again does not fill the journal, and is counted to the end.
    @Test func manyRefusalsAreOneLineAndACount() throws {
        let run = try Run(["--device", "sim:", "--port", "0"])
        let url = try run.url()
        for _ in 0..<5 { #expect(try get("/nowhere", at: url).status == 404) }
        run.process.terminate()
        let lines = run.end().errors.split(separator: "\n").filter { $0.contains("refused a request") }
        #expect(lines.count == 2)
        #expect(lines.last?.hasPrefix("voice-audio: warning: the monitor refused a request (4 times more in ") == true)
    }

    /// Of the server's lines, too, only those from the level on that was asked for.
    @Test(arguments: [("info", true), ("warning", false)])
    func theLogLevelHoldsForAllParts(level: String, isTold: Bool) throws {
        let run = try Run(["--device", "sim:", "--port", "0"], environment: ["VOICE_AUDIO_LOG_LEVEL": level])
        let url = try run.url()
        #expect(try get("/nowhere", at: url).status == 404)
        run.process.terminate()
        let errors = run.end().errors
        #expect(errors.contains("the monitor listens") == isTold && errors.contains("the monitor has ended") == isTold)
        #expect(!errors.contains("debug: ") && errors.contains("warning: the monitor refused a request [status: 404]"))
    }

    @Test func aUnixSocketFromTheEnvironmentGoesWithTheCommand() throws {
        let directory = try Directory()
        let address = "unix:\(directory.path("s"))"
        let run = try Run(["--device", "sim:"], environment: ["VOICE_AUDIO_MONITOR_ADDRESS": address])
        #expect(try run.url() == address)
        #expect(try get("/healthz", at: address).status == 200)
        run.process.terminate()
        #expect(run.end().status == 0)
        #expect(!FileManager.default.fileExists(atPath: directory.path("s")))
    }

    /// An ALSA microphone that goes away for good after a second; its configuration is in the directory.
    private func microphoneThatGoesAway(in directory: Directory) throws -> [String: String] {
        let configuration = """
            </usr/share/alsa/alsa.conf>
            pcm_type.numbered { lib "\(programBesideTests("libasound_module_pcm_numbered.so").path)" }
            pcm.gone { type numbered  faults [ "at 16000 unplug for ever" ] }
            """
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: directory.path("asound.conf")))
        return ["ALSA_CONFIG_PATH": directory.path("asound.conf")]
    }

    @Test func itServesWhileTheDeviceIsAway() throws {
        let directory = try Directory()
        let run = try Run(["--device", "gone", "--port", "0"], environment: microphoneThatGoesAway(in: directory))
        let url = try run.url()
        // Before, it may be said to stall.
        let isTold = eventually { (try? get("/readyz", at: url).body.contains("is reconnecting")) == true }
        #expect(isTold)
        #expect(try get("/readyz", at: url).status == 503)
        #expect(try get("/healthz", at: url).status == 200)
        run.process.terminate()
        let end = run.end()
        #expect(end.status == 0)
        #expect(end.errors.contains("voice-audio: reconnecting: gone went away"))
    }

    @Test func itEndsWithADeviceThatIsAwayForLongerThanIsAskedFor() throws {
        let directory = try Directory()
        let environment = try microphoneThatGoesAway(in: directory).merging(["VOICE_AUDIO_RECONNECT_SECONDS": "1"]) {
            $1
        }
        let end = try Run(["--device", "gone", "--port", "0"], environment: environment).end()
        #expect(end.status == 69)
        #expect(end.errors.contains("voice-audio: lost: "))
    }

    @Test func aBusyPortIsAnError() throws {
        let first = try Run(["--device", "sim:", "--port", "0"])
        let url = try first.url()
        let port = try #require(URLComponents(string: url)?.port)
        let second = try Run(["--device", "sim:", "--port", "\(port)"]).end()
        #expect(second.status == 69)
        #expect(second.errors.contains("\(port)"))
        first.process.terminate()
        #expect(first.end().status == 0)
    }

    @Test func itEndsWithItsSource() throws {
        let directory = try Directory()
        let recorder = try Run(
            command: "record", ["--device", "sim:", "--seconds", "0.2", "--output", directory.path("a.wav")],
            environment: ["VOICE_AUDIO_MIN_FREE_DISK_MB": "0"])
        #expect(recorder.end().status == 0)
        #expect(try Run(["--device", "sim:\(directory.path("a.wav"))", "--port", "0"]).end().status == 0)
    }

    @Test(arguments: [
        (["--device", "hw:CARD=Nowhere"], 66, "no capture device"),
        (["--device", "sim:", "--address", "localhost"], 78, "--address is \"localhost\": accepted are an IPv4"),
        (["--device", "sim:", "--port", "70000"], 78, "--port is \"70000\": accepted are 0 to 65535"),
        (["--device", "sim:", "--token-file", "/nowhere"], 66, "there is no file \"/nowhere\""),
        (["--device", "sim:", "--address", "0.0.0.0", "--port", "0"], 78, "the monitor has no token"),
        (["--device", "sim:", "--seconds", "0"], 64, "--seconds is \"0\""),
    ])
    func whatIsNotAcceptedIsSaid(arguments: [String], status: Int32, message: String) throws {
        let end = try Run(arguments).end()
        #expect(end.status == status)
        #expect(end.errors.hasPrefix("voice-audio: \(message)"), "\(end.errors)")
    }
}
