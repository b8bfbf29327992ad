import VoiceAudio
import VoiceAudioCore

extension MonitorRoutes {
    /// All that a server serves.
    static func all(of reporter: SystemReporter, clock: any AudioClock) -> MonitorRoutes {
        let recent = RecentReport(reporter, clock: clock)
        var routes = MonitorRoutes()
        routes.get["/healthz"] = .now { _ in MonitorResponse(json: ["status": "ok"]) }
        routes.get["/readyz"] = .now { _ in Readiness(recent.report).response }
        routes.get["/system-resources"] = .now { _ in MonitorResponse(json: recent.report) }
        routes.get["/metrics"] = .now { _ in
            MonitorResponse(contentType: "text/plain; version=0.0.4; charset=utf-8", body: metricsPage(recent.report))
        }
        routes.post["/cleanup-resources"] = .later { request in CleanupRequest(request, reporter).work }
        let feed = LiveFeed(reporter, clock: clock)
        routes.get["/events"] = .events { feed.nextEvents() }
        for (path, response) in MonitorPage.responses { routes.get[path] = .now { _ in response } }
        routes.open = Set(MonitorPage.responses.keys)
        return routes
    }
}
