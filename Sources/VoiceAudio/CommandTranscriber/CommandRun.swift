import Glibc
import VoiceAudioCore

/// One run of a command: starts it, gathers what it writes, and sees to it that nothing of it is left.
///
/// No thread is blocked meanwhile: the program's end, its outputs, the time and the cancellation are descriptors.
struct CommandRun: Sendable {
    let words: [String]
    let options: CommandTranscriber.Options

    /// What the command writes to its output, once it has ended well.
    ///
    /// - Throws: What ``CommandTranscriber/transcribe(_:language:)`` says.
    func output() async throws(AudioError) -> [UInt8] {
        guard !Task.isCancelled else { throw AudioError(.cancelled, "\"\(words[0])\" was not started: cancelled") }
        let cancelled = try WakeUp()
        // A task of its own is not cancelled with this one: it goes on until nothing of the program is left.
        let task = Task<Result<CommandResult, AudioError>, Never> {
            do throws(AudioError) { return .success(try await run(unless: cancelled)) } catch { return .failure(error) }
        }
        return try await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            cancelled.signal()
        }.get().checkedOutput(of: words[0], options)
    }

    private func run(unless cancelled: WakeUp) async throws(AudioError) -> CommandResult {
        let timer = try TimerDescriptor()
        let events = try ReadableAny()
        try events.watch(timer.descriptor)
        try events.watch(cancelled.descriptor)
        var child = try ChildProcess(words, environment: options.environment, events: events)
        var result = CommandResult()
        var phase = CommandPhase(grace: options.terminationGrace)
        var wait = DescriptorWait()
        var ready = DescriptorSet(count: 5)
        timer.set(to: options.deadline)
        while !phase.isFinished {
            do throws(AudioError) {
                _ = try await wait.untilReadable(events.descriptor, of: "the command \"\(words[0])\"")
            } catch {
                // A lack of descriptors, which the program need not pay for: all that it needs is open.
                await SystemClock().sleep(for: .milliseconds(100))
            }
            let descriptors = [
                child.output.descriptor, child.errorOutput.descriptor, child.exitDescriptor, cancelled.descriptor,
                timer.descriptor,
            ]
            for (index, descriptor) in descriptors.enumerated() { ready.watch(descriptor, at: index) }
            _ = ready.poll(nanoseconds: 0)
            if ready.isReady(at: 0) { result.output += child.output.read() }
            if ready.isReady(at: 1) { result.addLastWords(child.errorOutput.read()) }

            var happened: [CommandPhase.Event] = []
            if result.output.count > options.maxOutputBytes { happened.append(.stop(.outputTooLarge)) }
            if child.output.descriptor < 0 && child.errorOutput.descriptor < 0 { happened.append(.outputsEnded) }
            if ready.isReady(at: 2) { happened.append(.exited) }
            if ready.isReady(at: 3) { happened.append(.stop(.cancelled)) }
            let isTimeOver = ready.isReady(at: 4)
            // What stays readable has been seen.
            if ready.isReady(at: 2) { events.forget(child.exitDescriptor) }
            if ready.isReady(at: 3) { events.forget(cancelled.descriptor) }

            var actions = happened.flatMap { phase.handle($0) }
            // Otherwise the time that is over is not the one that is set now.
            if isTimeOver && actions.isEmpty { actions = phase.handle(.timePassed) }
            for action in actions { perform(action, on: &child, timer: timer, into: &result) }
        }
        return result
    }

    private func perform(
        _ action: CommandPhase.Action, on child: inout ChildProcess, timer: TimerDescriptor,
        into result: inout CommandResult
    ) {
        switch action {
        case .setTimer(let time): timer.set(to: time)
        case .terminate:
            child.output.close()
            child.signalGroup(SIGTERM)
        case .kill: child.signalGroup(SIGKILL)
        case .finish(let stop):
            result.stop = stop
            result.end = child.finish()
        case .abandon(let stop):
            result.stop = stop
            child.abandon()
        }
    }
}

/// What a command left behind.
struct CommandResult: Sendable {
    var output: [UInt8] = []
    /// The last that it wrote to its error output.
    private var lastWords: [UInt8] = []
    var end = ChildProcess.End.unknown
    var stop: CommandPhase.Stop?

    private static let lastWordsByteLimit = 4096

    mutating func addLastWords(_ bytes: [UInt8]) {
        lastWords += bytes
        lastWords.removeFirst(max(0, lastWords.count - Self.lastWordsByteLimit))
    }

    /// The output of a command that ended well.
    ///
    /// - Throws: `timedOut`, `cancelled`, `outputTooLarge` or `transcriberFailed`.
    func checkedOutput(of program: String, _ options: CommandTranscriber.Options) throws(AudioError) -> [UInt8] {
        switch stop {
        case .timedOut:
            throw AudioError(
                .timedOut, "\"\(program)\" did not end within \(options.deadline) and was stopped\(ending)")
        case .cancelled: throw AudioError(.cancelled, "\"\(program)\" was stopped: cancelled")
        case .outputTooLarge:
            throw AudioError(
                .outputTooLarge,
                "\"\(program)\" wrote more than \(options.maxOutputBytes) bytes and was stopped\(ending)")
        case nil: break
        }
        switch end {
        case .exited(0): return output
        case .exited(let status):
            throw AudioError(.transcriberFailed, "\"\(program)\" ended with status \(status)\(ending)")
        case .signalled(let signal):
            throw AudioError(.transcriberFailed, "\"\(program)\" was ended by signal \(signal)\(ending)")
        case .unknown: throw AudioError(unknownEndOf: program, ending: ending)
        }
    }

    /// The last lines, as the end of a sentence.
    private var ending: String {
        let lines = String(decoding: lastWords, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.printable() }.filter { !$0.isEmpty }
        guard !lines.isEmpty else { return "" }
        return ": " + lines.suffix(3).joined(separator: " | ").suffix(400)
    }
}
