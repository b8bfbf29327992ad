// Two captures, and a page in the browser that shows how they fare.
//
//     swift run Monitored            prints the page's address, and ends after three seconds
//     swift run Monitored 3600       serves it for an hour
//
// With VOICE_AUDIO_MONITOR_PORT=8080, and VOICE_AUDIO_MONITOR_TOKEN=$(openssl rand -hex 32), the page's clean-up works, too,
// for who has the token: without a port the other variables have no effect.
import Glibc
import VoiceAudio
import VoiceAudioMonitor

@main
struct Monitored {
    static func main() throws {
        let sessions = SessionRegistry(limits: .init(sessions: 2, memory: .mebibytes(8)))
        defer { sessions.endAll() }
        _ = try sessions.begin("speech", source: SimulatedSource(device: "sim:"))
        _ = try sessions.begin("tone", source: SimulatedSource(toneHz: 440))

        // What there is to see is told once; then it is looked at, and nobody has to send anything.
        let reporter = SystemReporter(monitor: MemoryPressureMonitor())
        reporter.add(sessions)

        let configuration = try MonitorConfiguration(environment: .process) ?? MonitorConfiguration()
        let server = MonitorServer(reporter, configuration: configuration)
        try server.start()
        defer { server.stop() }
        print("open \(server.url ?? "")")

        sleep(CommandLine.arguments.dropFirst().first.flatMap(UInt32.init) ?? 3)
        for session in reporter.report().registries.flatMap(\.sessions) {
            print(session.name, session.state, session.level.rmsDBFS.rounded(), "dBFS")
        }
    }
}
