import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Changes among the cards, on files of a test's own; time is moved by hand.
@Suite struct DeviceWatchTests {
    private func withWatch(
        _ prepare: (CardTree) throws -> Void = { _ in },
        _ body: (CardTree, DeviceWatch, ManualClock, TreeCalls) throws -> Void
    ) throws {
        try withCardTree { tree in
            try FileManager.default.createDirectory(atPath: tree.roots.dev, withIntermediateDirectories: true)
            try prepare(tree)
            let calls = TreeCalls(tree)
            let clock = ManualClock()
            let watch = try DeviceWatch(calls: calls, roots: tree.roots, clock: clock)
            try body(tree, watch, clock, calls)
        }
    }

    /// What is to be told now.
    private func changes(_ watch: DeviceWatch) throws -> [String] {
        var changes: [String] = []
        while let change = try poll(watch) { changes.append(text(of: change)) }
        return changes
    }

    /// The next change that is due.
    private func poll(_ watch: DeviceWatch) throws -> DeviceChange? {
        do throws(AudioError) {
            return try watch.next(timeout: .zero)
        } catch {
            guard error.code == .timedOut else { throw error }
            return nil
        }
    }

    private func text(of change: DeviceChange) -> String {
        switch change {
        case .added(let card): "+\(card.index) \(card.id)"
        case .removed(let card): "-\(card.index) \(card.id)"
        case .changed(let card): "~\(card.index) \(card.id)"
        case .defaultChanged(let device): "default \(device.card?.id ?? "\(device)")"
        }
    }

    @Test func aCardIsToldOnceAllItsNodesAreThere() throws {
        try withWatch { tree in
            try tree.add(.dummy, at: 1)
            try tree.addNodes(of: .dummy, at: 1)
        } _: { tree, watch, clock, _ in
            #expect(watch.cards.map(\.id) == ["Dummy"])
            try tree.add(.microphone, at: 4)
            try tree.addNode("controlC4")
            #expect(try changes(watch) == [])
            // Quiet, but its PCM is still missing.
            clock.advance(by: Settling.quiet)
            #expect(try changes(watch) == [])
            try tree.addNode("pcmC4D0c")
            #expect(try changes(watch) == [])
            clock.advance(by: Settling.quiet)
            #expect(try changes(watch) == ["+4 Mic"])
            clock.advance(by: .seconds(10))
            #expect(try changes(watch) == [])
            #expect(watch.cards.map(\.id) == ["Dummy", "Mic"])
        }
    }

    @Test func aCardThatIsNeverCompleteIsToldAtTheLimit() throws {
        try withWatch {
            try $0.addNode("timer")
        } _: { tree, watch, clock, _ in
            try tree.add(.microphone, at: 4)
            try tree.addNode("controlC4")
            for _ in 0..<5 {
                #expect(try changes(watch) == [])
                clock.advance(by: Settling.quiet)
            }
            #expect(try changes(watch) == [])
            clock.advance(by: Settling.limit - Settling.quiet * 5)
            #expect(try changes(watch) == ["+4 Mic"])
            #expect(Settling.limit < .seconds(1))
        }
    }

    /// Also while nodes come and go without end.
    @Test func unrestDoesNotPutOffTheNewsForEver() throws {
        try withWatch {
            try $0.addNode("timer")
        } _: { tree, watch, clock, _ in
            try tree.add(.microphone, at: 4)
            try tree.addNodes(of: .microphone, at: 4)
            var told: [String] = []
            var waited = Duration.zero
            while told.isEmpty, waited < .seconds(2) {
                told = try changes(watch)
                clock.advance(by: .milliseconds(50))
                waited += .milliseconds(50)
                try tree.addNode("midiC4D\(waited.components.attoseconds)")
            }
            #expect(told == ["+4 Mic"])
            #expect(waited <= Settling.limit + .milliseconds(100))
        }
    }

    @Test func aCardThatGoesIsToldWithWhatItWas() throws {
        try withWatch { tree in
            try tree.addAll()
            for (index, card) in FixtureCard.all.enumerated() { try tree.addNodes(of: card, at: index) }
        } _: { tree, watch, clock, _ in
            // The nodes go first; the kernel's other files may still be there.
            try tree.removeNodes(of: .microphone, at: 4)
            try tree.remove(.microphone, at: 4)
            #expect(try changes(watch) == [])
            clock.advance(by: Settling.quiet)
            guard case .removed(let card) = try watch.next(timeout: .zero) else {
                Issue.record("no card was removed")
                return
            }
            #expect(card.stableName == "usb:1d6b:0101,serial=1")
            #expect(try changes(watch) == [])
        }
    }

    @Test func theFolderMayComeAndGo() throws {
        try withWatch { tree, watch, clock, _ in
            #expect(watch.cards == [])
            for _ in 0..<3 {
                try tree.add(.microphone, at: 0)
                try tree.addNodes(of: .microphone, at: 0)
                #expect(try changes(watch) == [])
                clock.advance(by: Settling.quiet)
                #expect(try changes(watch) == ["+0 Mic"])
                try tree.removeNodes(of: .microphone, at: 0)
                try tree.remove(.microphone, at: 0)
                try tree.remove("dev/snd")
                #expect(try changes(watch) == [])
                clock.advance(by: Settling.quiet)
                #expect(try changes(watch) == ["-0 Mic"])
                // Other things happen in /dev.
                try tree.write("", "dev/ttyUSB0")
                #expect(try changes(watch) == [])
            }
        }
    }

    /// One that was plugged out and in between two looks is another, though its name and number are the same.
    @Test func aCardThatWasReplacedIsToldTwice() throws {
        try withWatch { tree in
            try tree.add(.microphone, at: 0)
            try tree.addNodes(of: .microphone, at: 0)
        } _: { tree, watch, clock, _ in
            try tree.addNode("new")
            let folder = "\(tree.root)/dev/snd"
            try FileManager.default.removeItem(atPath: "\(folder)/controlC0")
            try FileManager.default.moveItem(atPath: "\(folder)/new", toPath: "\(folder)/controlC0")
            #expect(try changes(watch) == [])
            clock.advance(by: Settling.quiet)
            #expect(try changes(watch) == ["-0 Mic", "+0 Mic"])
        }
    }

    @Test func twoCardsMayTradePlaces() throws {
        try withWatch { tree in
            try tree.add(.microphone, at: 0)
            try tree.addNodes(of: .microphone, at: 0)
            try tree.add(.otherMicrophone, at: 1)
            try tree.addNodes(of: .otherMicrophone, at: 1)
        } _: { tree, watch, clock, _ in
            #expect(watch.cards.map(\.stableName).allSatisfy { $0?.contains(",port=") == true })
            try tree.remove(.microphone, at: 0)
            try tree.remove(.otherMicrophone, at: 1)
            try tree.add(.otherMicrophone, at: 0)
            try tree.add(.microphone, at: 1)
            try tree.addNode("sign")
            _ = try changes(watch)
            clock.advance(by: Settling.quiet)
            #expect(try changes(watch) == ["-0 Mic", "-1 Mic_1", "+0 Mic_1", "+1 Mic"])
        }
    }

    /// That a second one of a kind makes the first one's name longer is no change of the first.
    @Test func aLongerNameIsNoChange() throws {
        try withWatch { tree in
            try tree.add(.microphone, at: 0)
            try tree.addNodes(of: .microphone, at: 0)
        } _: { tree, watch, clock, _ in
            try tree.add(.otherMicrophone, at: 1)
            try tree.addNodes(of: .otherMicrophone, at: 1)
            _ = try changes(watch)
            clock.advance(by: Settling.quiet)
            #expect(try changes(watch) == ["+1 Mic_1"])
        }
    }

    @Test func aCardMayGetMorePCMs() throws {
        try withWatch { tree in
            try tree.add(.dummy, at: 0)
            try tree.addNodes(of: .dummy, at: 0)
        } _: { tree, watch, clock, _ in
            try tree.write("", "sys/class/sound/card0/pcmC0D1c/dev")
            try tree.addNode("pcmC0D1c")
            _ = try changes(watch)
            clock.advance(by: Settling.quiet)
            #expect(try changes(watch) == ["~0 Dummy"])
        }
    }

    /// The kernel's queue ran over: the look tells all the same.
    @Test func aFullQueueLosesNothing() throws {
        let text = KernelFiles.line(ofFile: "/proc/sys/fs/inotify/max_queued_events")
        let limit = try #require(text.flatMap { Int($0) })
        try #require(limit <= 100_000, "too many events for a test: \(limit)")
        try withWatch {
            try $0.addNode("timer")
        } _: { tree, watch, clock, _ in
            let path = "\(tree.root)/dev/snd/x"
            // SAFETY: the path is NUL-terminated for each call.
            for _ in 0...limit / 2 {
                close(unsafe creat(path, 0o600))
                _ = unsafe unlink(path)
            }
            try tree.add(.microphone, at: 4)
            try tree.addNodes(of: .microphone, at: 4)
            #expect(try changes(watch) == [])
            clock.advance(by: Settling.limit)
            #expect(try changes(watch) == ["+4 Mic"])
        }
    }

    @Test func anotherDefaultIsTold() throws {
        try withWatch { tree in
            try tree.add(.microphone, at: 0)
            try tree.addNodes(of: .microphone, at: 0)
        } _: { tree, watch, clock, calls in
            func look() throws -> [String] {
                try tree.addNode("sign\(clock.now.nanoseconds)")
                _ = try changes(watch)
                clock.advance(by: Settling.quiet)
                return try changes(watch)
            }
            calls.standard.withLock { $0 = .card("0") }
            #expect(try look() == ["default Mic"])
            #expect(watch.defaultDevice.card?.index == 0)
            calls.standard.withLock { $0 = .card("Mic") }
            #expect(try look() == [])
            calls.standard.withLock { $0 = .plugin("pulse") }
            #expect(try look() == ["default \(DefaultDevice.plugin("pulse"))"])
            calls.standard.withLock { $0 = .card("0") }
            #expect(try look() == ["default Mic"])
            try tree.removeNodes(of: .microphone, at: 0)
            try tree.remove(.microphone, at: 0)
            #expect(try look() == ["-0 Mic", "default \(DefaultDevice.nothing)"])
        }
    }

    // MARK: Waiting

    @Test func aWaitEndsWithTheChange() throws {
        let tree = CardTree(root: NSTemporaryDirectory() + "/voiceaudio-watch-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: tree.root) }
        try tree.addNode("timer")
        let clock = ManualClock()
        let watch = try DeviceWatch(calls: TreeCalls(tree), roots: tree.roots, clock: clock)
        let change = try ThreadResult { try watch.next() }
        #expect(clock.waitUntilWaiting())
        let mark = clock.waitsBegun
        try tree.add(.microphone, at: 4)
        try tree.addNodes(of: .microphone, at: 4)
        #expect(clock.waitUntilWaiting(after: mark))
        clock.advance(by: Settling.limit)
        guard case .added(let card) = try change.value() else {
            Issue.record("no card was added")
            return
        }
        #expect(card.id == "Mic")
    }

    @Test func aWaitHasADeadline() throws {
        try withWatch { _, watch, clock, _ in
            let error = #expect(throws: AudioError.self) { _ = try watch.next(timeout: .zero) }
            #expect(error?.code == .timedOut)
        }
    }

    @Test func theEndEndsAllWaits() throws {
        let tree = CardTree(root: NSTemporaryDirectory() + "/voiceaudio-watch-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: tree.root) }
        try tree.addNode("timer")
        let clock = ManualClock()
        let watch = try DeviceWatch(calls: TreeCalls(tree), roots: tree.roots, clock: clock)
        let first = try ThreadResult { try watch.next() }
        let second = try ThreadResult { try watch.next() }
        #expect(clock.waitUntilWaiting(count: 2))
        watch.end()
        #expect(try first.value() == nil)
        #expect(try second.value() == nil)
        #expect(watch.descriptor == -1)
        #expect(try watch.next() == nil)
    }

    /// A program's own loop: the descriptor says when to ask, also when it is only time that has to pass.
    @Test func theDescriptorSaysWhenToAsk() throws {
        try withCardTree { tree in
            try tree.addNode("timer")
            let clock = SystemClock()
            let watch = try DeviceWatch(calls: TreeCalls(tree), roots: tree.roots, clock: clock)
            var descriptors = DescriptorSet(count: 1)
            descriptors.watch(watch.descriptor, at: 0)
            #expect(descriptors.poll(nanoseconds: 0) == 0)
            try tree.add(.microphone, at: 4)
            try tree.addNodes(of: .microphone, at: 4)
            let begin = clock.now
            var rounds = 0
            var told: [String] = []
            while told.isEmpty {
                try #require(descriptors.poll(nanoseconds: 10_000_000_000) == 1)
                told = try changes(watch)
                rounds += 1
            }
            #expect(told == ["+4 Mic"])
            #expect(begin.duration(to: clock.now) >= Settling.quiet)
            #expect(rounds < 10)
            #expect(descriptors.poll(nanoseconds: 0) == 0)
        }
    }

    @Test(.timeLimit(.minutes(5))) func changesAreASequence() async throws {
        let tree = CardTree(root: NSTemporaryDirectory() + "/voiceaudio-watch-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: tree.root) }
        try tree.addNode("timer")
        let watch = try DeviceWatch(calls: TreeCalls(tree), roots: tree.roots, clock: SystemClock())
        let sequence = DeviceChangeSequence(watch: .success(watch))
        let cancelling = try WakeUp()
        let task = Task {
            var ids: [String] = []
            for try await change in sequence {
                if case .added(let card) = change { ids.append(card.id) }
                if case .removed(let card) = change { ids.append("-" + card.id) }
                if ids.count == 2 { try tree.removeNodes(of: .dummy, at: 1) }
                // The next one is waited for; the test cancels it.
                if ids.count == 3 { cancelling.signal() }
            }
            return ids
        }
        try tree.add(.microphone, at: 0)
        try tree.addNodes(of: .microphone, at: 0)
        try tree.add(.dummy, at: 1)
        try tree.addNodes(of: .dummy, at: 1)
        try await offThePool {
            var descriptors = DescriptorSet(count: 1)
            descriptors.watch(cancelling.descriptor, at: 0)
            // The task has to get a thread of the pool, which other tests keep busy.
            #expect(descriptors.poll(nanoseconds: 240_000_000_000) == 1)
        }
        task.cancel()
        #expect(try await task.value == ["Mic", "Dummy", "-Dummy"])
        // Cancelling closed it.
        #expect(watch.descriptor == -1)
    }

    @Test(.timeLimit(.minutes(5))) func cancellingEndsAWaitingSequence() async throws {
        let tree = CardTree(root: NSTemporaryDirectory() + "/voiceaudio-watch-" + UUID().uuidString)
        defer { try? FileManager.default.removeItem(atPath: tree.root) }
        try tree.addNode("timer")
        let watch = try DeviceWatch(calls: TreeCalls(tree), roots: tree.roots, clock: SystemClock())
        let task = Task {
            var iterator = DeviceChangeSequence(watch: .success(watch)).makeAsyncIterator()
            return try await iterator.next()
        }
        task.cancel()
        #expect(try await task.value == nil)
        #expect(watch.descriptor == -1)
    }

    @Test func whatCannotBeWatchedIsAnError() async throws {
        var roots = SystemRoots()
        roots.dev = "/nowhere"
        let error = #expect(throws: AudioError.self) {
            _ = try DeviceWatch(calls: SystemALSACalls(), roots: roots, clock: SystemClock())
        }
        #expect(error?.code == .deviceFailed)
        #expect(error?.message == "/nowhere cannot be watched: No such file or directory")
    }
}
