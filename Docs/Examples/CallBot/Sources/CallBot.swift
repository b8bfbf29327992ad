// Takes eight calls at once, records each into a file, and reloads its settings while they run.
//
//     swift run CallBot [DIRECTORY]
//
// The calls are simulated: each is a few seconds of built-in speech, pushed as a SIP stack would. SIGTERM in the middle stops
// the captures and finishes the files.
import Glibc
import VoiceAudio

@main
struct CallBot {
    static let callCount = 8

    static func main() async {
        do {
            try await run(in: CommandLine.arguments.dropFirst().first ?? "/tmp/call-bot-\(getpid())")
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }

    private static func run(in directory: String) async throws {
        let log = PrintingLog()
        try ShutdownHook.install(deadline: .seconds(5), logSink: log)

        // What the calls have in common: started before the first of them, stopped after the last.
        let components = ComponentRegistry(logSink: log)
        defer { components.stopAll() }
        try components.register("archive") { Archive(directory: directory) }
        for outcome in try await components.startAll() where outcome.result == .failed {
            throw outcome.error ?? AudioError(.componentFailed, "no archive")
        }

        var configuration = AudioConfiguration()
        configuration.sampleRateHz = 8000
        configuration.chunkFrameCount = 160  // 20 ms, as a packet
        let calls = SessionRegistry(
            limits: .init(sessions: callCount, memory: .mebibytes(4)), expectedDuration: .seconds(60),
            configuration: configuration, logSink: log)

        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...callCount {
                group.addTask { try await Call(name: "call-\(number)", in: calls, archive: components).take() }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(2))
                try await reload(calls, components, archive: directory + "/after-reload")
            }
            try await group.waitForAll()
        }
        let report = await calls.endAll(deadline: .seconds(5))
        print("all ended: \(report.allEnded); calls left: \(calls.count)")
    }

    /// New settings while calls run: another archive for those that begin from now on, more history for all.
    private static func reload(
        _ calls: SessionRegistry, _ components: ComponentRegistry, archive directory: String
    ) async throws {
        // A directory that cannot be: the old archive stays.
        print(
            "archive in /proc: \(try await components.replace("archive", with: { Archive(directory: "/proc/none") }))")
        print(
            "archive in \(directory): \(try await components.replace("archive", with: { Archive(directory: directory) }))"
        )
        var replaced = 0
        for call in calls.sessions where call.processor.reconfigure({ $0.maxChunks = 100 }).isReplaced { replaced += 1 }
        print("more history for \(replaced) of \(calls.count) calls, none of which noticed")
    }
}
