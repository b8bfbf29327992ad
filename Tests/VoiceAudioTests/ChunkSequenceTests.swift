import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// `chunks()` and `run()`: what async code sees.
@Suite(.timeLimit(.minutes(5))) struct ChunkSequenceTests {
    let source = ScriptedSource()
    let processor: AudioProcessor

    init() { processor = AudioProcessor(source: source, configuration: .scripted()) }

    @Test func chunksComeInOrderToTheEnd() async throws {
        let chunks = processor.chunks()
        try await processor.arm()
        source.push(.frames(450), .end)
        var numbers: [Int] = []
        for try await chunk in chunks {
            #expect(chunk.framePosition == numbers.count)
            numbers += chunk.numbers
        }
        #expect(numbers == Array(0..<450))
        processor.cleanup()
    }

    @Test func aFailureIsThrownTypedAtTheEnd() async throws {
        let failure = AudioError(.deviceLost, "unplugged")
        let chunks = processor.chunks()
        try await processor.arm()
        source.push(.frames(150), .fail(failure))
        var frames = 0
        do throws(AudioError) {
            for try await chunk in chunks { frames += chunk.frameCount }
            Issue.record("it ended without its failure")
        } catch {
            #expect(error == failure)
        }
        #expect(frames == 150)
        processor.cleanup()
    }

    @Test func cancellationEndsTheLoop() async throws {
        let chunks = processor.chunks()
        try await processor.arm()
        source.push(.frames(100))
        let (first, arrived) = AsyncStream<Int>.makeStream()
        let task = Task {
            var count = 0
            for try await _ in chunks {
                count += 1
                arrived.yield(count)
            }
            return count
        }
        for await _ in first { break }
        task.cancel()
        #expect(try await task.value == 1)
        processor.cleanup()
    }

    @Test func aTaskThatIsCancelledAlreadyGetsNothing() async throws {
        let chunks = processor.chunks()
        try await processor.arm()
        source.push(.frames(100))
        #expect(try await source.isTakenByATask())
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            for try await _ in chunks { return false }
            return true
        }
        task.cancel()
        #expect(try await task.value)
        processor.cleanup()
    }

    @Test func aReaderIsWokenOnlyForAsManyAsItAskedFor() async throws {
        let chunks = processor.chunks(chunksToWakeFor: 5)
        let buffer = try chunks.underlyingSubscription().buffer
        try await processor.arm()
        let task = Task {
            for try await _ in chunks { return buffer.count }
            return -1
        }
        // It may find the first ones without waiting, but once it waits it is woken by the fifth.
        #expect(try await eventuallyOffThePool { ProcessCounts.threads(named: "va-notify") > 0 })
        source.push(.frames(500))
        #expect(try await task.value >= 0)
        processor.cleanup()
    }

    @Test func whatKeptItFromSubscribingIsThrownAtTheFirstElement() async throws {
        var iterator = processor.chunks(bounded: 0).makeAsyncIterator()
        do throws(AudioError) {
            _ = try await iterator.next()
            Issue.record("it did not throw")
        } catch {
            #expect(error.code == .invalidConfiguration)
        }
    }

    @Test func threeLoopsGetEverything() async throws {
        let sequences = (0..<3).map { _ in processor.chunks() }
        try await processor.arm()
        source.push(.frames(5000), .end)
        let sums = try await withThrowingTaskGroup(of: Int.self) { group in
            for chunks in sequences {
                group.addTask {
                    var frames = 0
                    for try await chunk in chunks { frames += chunk.frameCount }
                    return frames
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sums == [5000, 5000, 5000])
        processor.cleanup()
    }

    @Test func runEndsOnCancellationAndCleansUp() async throws {
        let processor = processor
        let task = Task { try await processor.run() }
        // The source is open a moment before the processor says so.
        #expect(try await eventuallyOffThePool { processor.state == .ready })
        task.cancel()
        try await task.value
        #expect(processor.state == .idle)
        #expect(source.closeCount == 1)
    }

    @Test func runThrowsWhatTheCaptureDiedOf() async throws {
        let failure = AudioError(.deviceLost, "unplugged")
        let processor = processor
        let task = Task { try await processor.run() }
        #expect(try await source.isTakenByATask())
        source.push(.fail(failure))
        await #expect(throws: failure) { try await task.value }
        #expect(processor.state == .idle)
    }

    @Test func runThrowsWhatOpeningFailedWith() async throws {
        let failure = AudioError(.busy, "taken")
        source.failToOpen(with: failure)
        await #expect(throws: failure) { try await processor.run() }
        #expect(processor.state == .idle)
    }

    @Test func runEndsWithTheSource() async throws {
        source.push(.frames(100), .end)
        try await processor.run()
        #expect(processor.state == .idle)
        #expect(source.closeCount == 1)
    }

    @Test func severalMayWaitForTheSameDescriptor() async throws {
        for _ in 0..<50 {
            let notifier = try DescriptorNotifier.running()
            let wakeUp = try WakeUp()
            let all = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<4 { group.addTask { await notifier.waitUntilReadable(wakeUp.descriptor) } }
                group.addTask {
                    for _ in 0..<10 { await Task.yield() }
                    wakeUp.signal()
                    return true
                }
                return await group.reduce(true) { $0 && $1 }
            }
            #expect(all, "one was turned away while another waited")
        }
    }

    @Test func copiesOfOneWaitMayWaitAtTheSameTime() async throws {
        for _ in 0..<50 {
            let wakeUp = try WakeUp()
            var wait = DescriptorWait()
            wakeUp.signal()
            let isReadable = try await wait.untilReadable(wakeUp.descriptor, of: "the original")
            #expect(isReadable)
            wakeUp.clear()
            let all = try await withThrowingTaskGroup(of: Bool.self) { [wait] group in
                for _ in 0..<4 {
                    group.addTask {
                        var copy = wait
                        return try await copy.untilReadable(wakeUp.descriptor, of: "a copy")
                    }
                }
                group.addTask {
                    for _ in 0..<10 { await Task.yield() }
                    wakeUp.signal()
                    return true
                }
                return try await group.reduce(true) { $0 && $1 }
            }
            #expect(all, "one took the other's turn")
        }
    }

    @Test func aWaitThatWasCancelledDisturbsNoneAfterIt() async throws {
        let wakeUp = try WakeUp()
        let wait = Task {
            var wait = DescriptorWait()
            let isReadable = try await wait.untilReadable(wakeUp.descriptor, of: "what never comes")
            #expect(!isReadable)
            return wait
        }
        wait.cancel()
        var again = try await wait.value
        wakeUp.signal()
        for _ in 0..<50 {
            let isReadable = try await again.untilReadable(wakeUp.descriptor, of: "what is there")
            #expect(isReadable)
        }
    }
}
