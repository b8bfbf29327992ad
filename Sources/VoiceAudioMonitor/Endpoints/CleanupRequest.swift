import VoiceAudio

/// `POST /cleanup-resources?what=…`.
struct CleanupRequest {
    private static let deadline = Duration.seconds(10)
    private let request: MonitorRequest
    private let reporter: SystemReporter

    init(_ request: MonitorRequest, _ reporter: SystemReporter) {
        self.request = request
        self.reporter = reporter
    }

    var work: MonitorRoutes.Work {
        let accepted = SystemCleanup.allCases.map(\.rawValue).joined(separator: ", ")
        guard let name = request.query["what"], request.query.count == 1 else {
            return .refused(
                MonitorResponse(status: 400, error: "?what= is missing, or not alone: accepted are \(accepted)"))
        }
        guard let what = SystemCleanup(rawValue: name) else {
            return .refused(
                MonitorResponse(status: 400, error: "what to clean up is not known: accepted are \(accepted)"))
        }
        return .accepted { [reporter] in MonitorResponse(json: reporter.cleanUp(what, deadline: Self.deadline)) }
    }
}
