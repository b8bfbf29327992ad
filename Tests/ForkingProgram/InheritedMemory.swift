import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioMemory

/// What governs a program's memory: a fork has none of that memory, and is told so.
final class InheritedMemory: Sendable {
    private let budget: MemoryBudget
    private let reservation: MemoryReservation
    private let tracker: AudioObjectTracker
    private let box: TrackedAudio<Int>
    private let reporter = SystemReporter()
    private let calls = SessionRegistry(configuration: .scripted())
    private let call: AudioSession<ScriptedSource>

    init() throws {
        budget = try MemoryBudget(name: "parent", limitBytes: 1000)
        reservation = try budget.reserve(100, for: "ring")
        tracker = AudioObjectTracker(budget: budget)
        box = try tracker.box(0, byteCount: 10, owner: "parent")
        call = try calls.begin("call", source: ScriptedSource(), metadata: ["of": "parent"])
        reporter.add(budget)
        reporter.add(tracker)
        reporter.add(calls)
    }

    /// Takes all locks that there are.
    func keepBusy() {
        _ = try? budget.child(name: "child", limitBytes: 10).reserve(10, for: "ring")
        _ = try? tracker.box(1, byteCount: 1, owner: "parent")
        _ = try? calls.begin("busy", source: call.source, startsRecording: false).end()
        _ = reporter.report()
    }

    /// Everything at once, in a fork.
    func useInChild(of parent: Int32) {
        expectRefusal("reserve()", by: parent) { _ = try budget.reserve(1, for: "ring") }
        expectRefusal("child()", by: parent) { _ = try budget.child(name: "child", limitBytes: 1) }
        expectRefusal("resize()", by: parent) { try reservation.resize(to: 1) }
        expectRefusal("box()", by: parent) { _ = try tracker.box(1, byteCount: 1, owner: "fork") }
        expectRefusal("track()", by: parent) { try tracker.track(self, byteCount: 1, owner: "fork") }
        expect(reservation.byteCount == 0 && budget.usedBytes == 0, "a fork has memory of its parent's budget")
        expect(budget.report.name == "parent" && budget.availableBytes == 0, "a fork can take of its parent's budget")
        expect(tracker.freeMemory(.emergency) == 0 && tracker.report().objects.isEmpty, "a fork tracks its parent's")
        expect(!tracker.untrack(self), "untrack() in a fork")
        let report = reporter.report()
        expect(report.budgets.isEmpty && report.trackers.isEmpty, "a fork reports its parent's")
        expect(report.registries.isEmpty, "a fork reports its parent's sessions")
        useSessionsInChild(of: parent)
    }

    private func useSessionsInChild(of parent: Int32) {
        expectRefusal("begin()", by: parent) { _ = try calls.begin("other", source: call.source) }
        expectRefusal("end() of a session", by: parent) { try call.end() }
        expectRefusal("append() to a session", by: parent) { try call.append(1, to: "numbers") }
        expectRefusal("attach() to a session", by: parent) { try call.attach(1, named: "one") }
        call.touch()
        expect(call.metadata.isEmpty && call.report.phase == .ended, "a fork has its parent's session: \(call.report)")
        let sessions = calls.report.sessions.count + calls.sessions.count + calls.count
        expect(sessions == 0 && calls.session(named: "call") == nil, "a fork has sessions of its parent's")
        let ended = calls.endAll().sessions.count + calls.expireSessions().sessions.count
        expect(ended == 0, "a fork ended sessions of its parent's")
    }

    /// What the children must not have touched.
    func finish() throws {
        let ended = try call.end(deadline: .seconds(60))
        expect(ended.metadata == ["of": "parent"] && ended.recording != nil, "the parent's session: \(ended.report)")
    }
}
