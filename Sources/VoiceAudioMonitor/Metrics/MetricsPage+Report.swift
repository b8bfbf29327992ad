import VoiceAudio

/// A report as a page in Prometheus' text format 0.0.4: `text/plain; version=0.0.4; charset=utf-8`.
///
/// How many series there are is bounded by what the program has: some 60, 32 for each processor, 43 for each session, of
/// which registries bound the number, a handful for each of all other parts. Nothing has a label whose words come from what
/// is captured, from users or from requests.
///
/// - Complexity: O(*n*) in parts; some 1.5 ms with 256 sessions, whose page has 930 kB.
func metricsPage(_ report: SystemReport) -> [UInt8] {
    let sessions = labelledSessions(report.registries)
    let captures =
        labelled(report.processors, "processor") { $0.name }.map {
            let processor = $0.part
            return Labelled(
                labels: $0.labels,
                part: MeasuredCapture(
                    state: processor.state, level: processor.level, usage: processor.memoryUsage))
        }
        + sessions.map {
            let session = $0.part
            return Labelled(
                labels: $0.labels,
                part: MeasuredCapture(state: session.state, level: session.level, usage: session.memoryUsage))
        }
    var page = MetricsPage(reserving: 16_384 + 4096 * captures.count)
    page.add(processFamilies, of: [Labelled(labels: [], part: report.process)])
    page.add(
        diskFamilies, of: report.disk.map { [Labelled(labels: labels("directory", $0.directory), part: $0)] } ?? [])
    page.add(threadFamilies, of: [Labelled(labels: [], part: report.threads)])
    page.add(pressureFamilies, of: report.pressure.map { [Labelled(labels: [], part: $0)] } ?? [])
    page.add(captureFamilies, of: captures)
    page.add(registryFamilies, of: labelled(report.registries, "registry") { $0.name })
    page.add(sessionFamilies, of: sessions)
    page.add(budgetFamilies, of: labelledBudgets(report.budgets))
    page.add(collectorFamilies, of: labelled(report.collectors, "collector") { $0.name })
    page.add(trackerFamilies, of: labelled(report.trackers, "tracker") { $0.name })
    page.add(componentFamilies, of: labelled(report.components.flatMap(\.components), "component") { $0.name })
    return page.takeBytes()
}
