import Foundation
import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioMemory

@Suite(.timeLimit(.minutes(5))) struct ProcessReportTests {
    /// A process's directory as the kernel would write it.
    private func withProcess<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: root) }
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        for (name, text) in files {
            let file = root.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return try body(root.path)
    }

    @Test func whatTheKernelTellsIsUnderstood() throws {
        let groups = String(repeating: "100000 ", count: 2000)
        let files = [
            // A name with all that could be taken for something else; started 12.5 s after the machine, if a second has 100 ticks.
            "stat": "7 (va) R 1 (x y) S 1 7 7 0 -1 4194304 1 2 3 4 50 60 7 8 20 0 9 0 1250 1 1 1\n",
            "status": """
            Name:\tva) R 1 (x y
            Groups:\t\(groups)
            VmHWM:\t    5000 kB
            VmRSS:\t    4000 kB
            RssShmem:\t     300 kB
            VmSwap:\t       0 kB
            Threads:\t9

            """,
            "task/7/comm": "va) R 1 (x y\n", "task/8/comm": "va-capture\n", "task/9/comm": "va-capture\n",
            "task/10/comm": "va-pressure\n", "task/11/comm": "host\n",
            "fd/0": "", "fd/1": "", "fd/2": "", "fd/3": "",
        ]
        let report = try withProcess(files) { ProcessReport.gather(from: $0) }
        #expect(report.memory.residentBytes == 4_096_000 && report.memory.peakResidentBytes == 5_120_000)
        #expect(report.memory.sharedResidentBytes == 307_200 && report.memory.swappedBytes == 0)
        #expect(report.threads.count == 9 && report.threads.own == ["va-capture": 2, "va-pressure": 1])
        #expect(report.descriptors.open == 3)
        // Ticks are whole hundredths, and the machine's start is whole seconds.
        let started = try #require(report.startedSecondsSince1970)
        #expect(abs(started - started.rounded(.down) - 0.5) < 1e-6)
        #expect(abs(Date().timeIntervalSince1970 - started - (try #require(report.uptimeSeconds))) < 60)
        let stat = try #require(files["stat"]).replacing(" 1250 ", with: " 250 ")
        let older = try withProcess(["stat": stat]) { ProcessReport.gather(from: $0) }
        #expect(abs(started - (try #require(older.startedSecondsSince1970)) - 10) < 1e-6)
    }

    @Test(arguments: ["", "7", "7 (va", "7 (va) S 1 2", "7 (va) S" + String(repeating: " x", count: 30)])
    func whatCannotBeReadIsNotThere(stat: String) throws {
        let report = try withProcess(["stat": stat, "status": "VmRSS: kB\n: 5\nVmHWM:\n"]) {
            ProcessReport.gather(from: $0)
        }
        #expect(report.uptimeSeconds == nil && report.startedSecondsSince1970 == nil)
        #expect(report.memory.residentBytes == nil && report.memory.peakResidentBytes == nil)
        #expect(report.threads.count == nil && report.threads.own.isEmpty && report.descriptors.open == nil)
    }

    @Test func thisProcessIsTold() throws {
        let before = ProcessReport.gather()
        let (begun, ends) = (try WakeUp(), try WakeUp())
        let thread = try ThreadResult {
            begun.signal()
            #expect(eventually { ends.isSignalled })
        }
        #expect(eventually { begun.isSignalled })
        let report = ProcessReport.gather()
        ends.signal()
        try thread.value()
        #expect(report.threads.own["va-test"] ?? 0 >= 1)
        #expect(try #require(report.threads.count) >= 2)
        // The two eventfds, and those of the standard streams.
        #expect(try #require(report.descriptors.open) >= 5)
        #expect(try #require(report.descriptors.limit) > 5)
        let resident = try #require(report.memory.residentBytes)
        #expect(resident > 1 << 20 && resident < 1 << 40)
        #expect(try #require(report.memory.peakResidentBytes) >= resident)
        #expect(report.processID == Int(getpid()))
        #expect(try #require(report.uptimeSeconds) >= (before.uptimeSeconds ?? .infinity))
        #expect(report.cpu.userSeconds + report.cpu.systemSeconds > 0 && report.cpu.percent == nil)
        #expect(report.cpu.userSeconds >= before.cpu.userSeconds)
    }

    @Test func aDiskIsToldAndMemoryToldApart() throws {
        let disk = try DiskReport(of: "/")
        #expect(disk.isMemory != nil && disk.directory == "/")
        #expect(try #require(disk.freeBytes) <= #require(disk.totalBytes))
        #expect(try DiskReport(of: nil).directory == (ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"))
        let error = #expect(throws: AudioError.self) { _ = try DiskReport(of: "/there/is/none") }
        #expect(error?.code == .notWritable)
        if let memory = try? DiskReport(of: "/dev/shm") {
            #expect(memory.isMemory == true)
        } else {
            print("skipped: there is no /dev/shm to tell apart from a disk")
        }
    }

    @Test func reportsAreReadBackAsTheyWereWritten() throws {
        let tracker = AudioObjectTracker(name: "calls")
        let object = Waveform()
        try tracker.track(object, byteCount: 5, owner: "call-1")
        let budget = try MemoryBudget(name: "process", limitBytes: 100)
        let child = try budget.child(name: "session", limitBytes: 50)
        let reservation = try child.reserve(7, for: "ring")
        try roundTrip(tracker.report())
        try roundTrip(budget.report)
        try roundTrip(ProcessReport.gather())
        try roundTrip(try DiskReport(of: "/"))
        withExtendedLifetime((object, reservation)) {}
    }

    private func roundTrip<Report: Codable & Equatable>(_ report: Report) throws {
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(Report.self, from: data) == report)
        let text = String(decoding: data, as: UTF8.self)
        // Keys, but for names that somebody gave.
        for match in text.matches(of: /"([A-Za-z_]+)":/) { #expect(match.1 == match.1.lowercased()) }
    }
}
