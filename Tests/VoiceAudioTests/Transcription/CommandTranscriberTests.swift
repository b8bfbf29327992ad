import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudio

@Suite(.timeLimit(.minutes(5))) struct CommandTranscriberTests {
    @Test func whatTheProgramWritesIsTheText() async throws {
        let transcript = try await script("wc -c < \"$1\"; echo ' two  lines '; echo warning >&2").transcribeAnything()
        #expect(transcript.text == "244\n two  lines")
        #expect(transcript.language == nil)
        #expect(transcript.elapsed > .zero)
    }

    @Test func fileAndLanguageTakeTheirPlaces() async throws {
        let whisper = try CommandTranscriber(command: "printf '%s|' 'a b' -f={wav} -l {language} {} {1 \"$HOME\"")
        let text = try await whisper.transcribeAnything(language: "pt-BR").text
        let words = text.split(separator: "|")
        #expect(words.first == "a b")
        #expect(words.dropFirst(2) == ["-l", "pt-BR", "{}", "{1", "$HOME"])
        #expect(words[1].hasPrefix("-f=/proc/\(getpid())/fd/"))
    }

    @Test func aNamedFileIsGivenToWhoWantsOne() async throws {
        let named = try script("echo \"$1\"; head -c 4 \"$1\"") { $0.needsNamedFile = true }
        let text = try await named.transcribeAnything().text
        #expect(text.hasSuffix(".wav\nRIFF"))
        #expect(!FileManager.default.fileExists(atPath: String(text.prefix { $0 != "\n" })))
    }

    @Test(arguments: ["", "-x", "--help", "de/../x", "de fr", "d\u{202E}e", "../../etc", "$(id)", "de-", "abcdefghi"])
    func whatIsNoLanguageIsRefused(language: String) async throws {
        let error = await (try script("echo", arguments: ["{language}"])).failure(language: language)
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func aLanguageIsGivenWhereTheCommandTakesOneAndOnlyThere() async throws {
        #expect(await (try script("echo")).failure(language: "de")?.message.contains("{language}") == true)
        #expect(await (try script("echo", arguments: ["{language}"])).failure()?.message.contains("auto") == true)
        let withDefault = try script("echo $2", arguments: ["{language}"]) { $0.defaultLanguage = "auto" }
        #expect(try await withDefault.transcribeAnything().text == "auto")
        #expect(try await withDefault.transcribeAnything(language: "fr").language == "fr")
    }

    @Test(arguments: ["", "  ", "wc -c", "wc {wav} {user}", "wc '{wav}", "wc \"{wav}'"])
    func commandsThatCannotBeRunAreRefused(line: String) {
        #expect(throws: AudioError.self) { try CommandTranscriber(command: line) }
    }

    @Test func optionsThatMakeNoSenseAreRefused() {
        for change: (inout CommandTranscriber.Options) -> Void in [
            { $0.deadline = .zero }, { $0.terminationGrace = .seconds(-1) }, { $0.maxOutputBytes = 0 },
            { $0.environment = ["A=B": ""] }, { $0.environment = ["A": "\0"] },
        ] {
            #expect(throws: AudioError.self) { try script("echo", change) }
        }
    }

    @Test func aProgramThatCannotBeStartedIsNamed() async throws {
        let missing = await (try CommandTranscriber(command: "no-such-program-x {wav}")).failure()
        #expect(missing?.code == .noSuchFile)
        #expect(missing?.message.contains("no-such-program-x") == true)
        #expect(await (try CommandTranscriber(command: "/no/such/program {wav}")).failure()?.code == .noSuchFile)
        // A file that is no program, also for root.
        #expect(await (try CommandTranscriber(command: "/etc/passwd {wav}")).failure()?.code == .permissionDenied)
        #expect(await (try CommandTranscriber(command: "/tmp {wav}")).failure()?.code == .permissionDenied)
    }

    @Test func aFailureHasStatusAndLastWords() async throws {
        let failed = await (try script("echo early >&2; printf 'bad \\033[31mmodel\\n\\n' >&2; exit 3")).failure()
        #expect(failed?.code == .transcriberFailed)
        #expect(failed?.message == "\"/bin/sh\" ended with status 3: early | bad [31mmodel")
        let killed = await (try script("kill -SEGV $$")).failure()
        #expect(killed?.message == "\"/bin/sh\" was ended by signal 11")
        let verbose = await (try script("head -c 300000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 1")).failure()
        #expect(verbose?.message.hasSuffix("xxlast") == true)
        #expect((verbose?.message.utf8.count ?? 0) < 500)
    }

    @Test func invalidTextIsRepaired() async throws {
        #expect(try await script("printf 'a\\377b'").transcribeAnything().text == "a\u{FFFD}b")
    }

    @Test func theEnvironmentIsHandedOnOrReplaced() async throws {
        #expect(try await script("echo $PATH").transcribeAnything().text != "")
        let replaced = try script("env") { $0.environment = ["MODEL": "tiny", "PATH": "/usr/bin:/bin"] }
        #expect(try await replaced.transcribeAnything().text.contains("MODEL=tiny"))
        #expect(try await !replaced.transcribeAnything().text.contains("HOME="))
    }

    @Test func theProgramGetsThreeDescriptorsAndNoBlockedSignals() async throws {
        // One that is not closed on exec, as a careless program has it.
        // SAFETY: the path is a constant.
        let leaky = unsafe open("/dev/null", O_RDONLY)
        defer { close(leaky) }
        // The C library ignores two signals of its own, 32 and 33, in whatever it starts.
        let look = "ls /proc/$$/fd; sed -nE 's/Sig(Blk|Ign):.*(.{8})/\\2/p' /proc/self/status; cat"
        let text = try await script(look).transcribeAnything().text
        let words = text.split(whereSeparator: \.isWhitespace)
        #expect(words == ["0", "1", "2", "00000000", "80000000"] || words == ["0", "1", "2", "00000000", "00000000"])
    }

    @Test func whoHangsIsStoppedAtTheDeadline() async throws {
        let start = ContinuousClock.now
        let stopped = try await stopped("echo $$ >&2; exec sleep 100")
        #expect(stopped.error.code == .timedOut)
        #expect(ContinuousClock.now - start >= .milliseconds(400))
        #expect(isGone(stopped.number))
    }

    @Test func whoDoesNotWantToEndIsKilled() async throws {
        let stopped = try await stopped("trap '' TERM; echo $$ >&2; while :; do sleep 1; done")
        #expect(stopped.error.code == .timedOut)
        #expect(isGone(stopped.number))
    }

    @Test func whatAStoppedProgramStartedGoesToo() async throws {
        #expect(isGone(try await stopped("sleep 100 & echo $! >&2; wait").number))
    }

    @Test func whoWritesTooMuchIsStopped() async throws {
        let flood = await (try script("echo $$ >&2; exec cat /dev/zero") { $0.maxOutputBytes = 1000 }).failure()
        #expect(flood?.code == .outputTooLarge)
        #expect(flood?.message.contains("1000 bytes") == true)
        #expect(isGone(try #require(number(in: flood))))
        let fitting = try script("head -c 1000 /dev/zero | tr '\\0' x") { $0.maxOutputBytes = 1000 }
        #expect(try await fitting.transcribeAnything().text.count == 1000)
    }

    @Test func whatIsWrittenAfterTheProgramHasEndedCounts() async throws {
        let slow = try script("(sleep 0.05; echo later) & echo first") { $0.terminationGrace = .seconds(20) }
        #expect(try await slow.transcribeAnything().text == "first\nlater")
    }

    // Longer than the suite may take: who waited for it would not come back in time.
    @Test(arguments: [
        "sleep 1000 & echo $!",
        "setsid sleep 1000 & until [ \"$(cut -d ' ' -f 6 /proc/$!/stat)\" = $! ]; do :; done; echo $!",
    ]) func whoKeepsTheOutputsOpenIsNotWaitedFor(text: String) async throws {
        let child = try #require(pid_t(try await script(text).transcribeAnything().text))
        // Who made a session of its own is not ours to end.
        if text.hasPrefix("setsid") { #expect(kill(child, SIGKILL) == 0) }
        #expect(isGone(child))
    }

    @Test func aThreadStandsInWhereTheSystemLacksPidfds() throws {
        let events = try ReadableAny()
        let child = try ChildProcess(["sleep", "1000"], environment: nil, events: events)
        let exit = try exitDescriptorWithThread(ofChild: child.number)
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(exit.number, at: 0)
        let clock = SystemClock()
        #expect(isAlive(child.number) && clock.wait(for: descriptors, until: clock.now) == 0)
        child.signalGroup(SIGKILL)
        #expect(clock.wait(for: descriptors, until: clock.now.advanced(by: .seconds(60))) == 1)
        #expect(child.finish() == .signalled(SIGKILL))
    }

    @Test func whoCannotBeStoppedNowIsWaitedForElsewhere() throws {
        let child = try ChildProcess(["sleep", "1000"], environment: nil, events: ReadableAny())
        child.abandon()
        // One that is not reaped can still be sent a signal.
        #expect(eventually { kill(child.number, 0) < 0 })
    }

    @Test func cancellingStopsTheProgram() async throws {
        let started = FileManager.default.temporaryDirectory.appendingPathComponent("va-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: started) }
        let task = Task {
            await (try script("echo $$ > \(started).new; mv \(started).new \(started); sleep 100")).failure()
        }
        let isThere = try await eventuallyOffThePool { FileManager.default.fileExists(atPath: started) }
        #expect(isThere)
        let process = try #require(pid_t(try String(contentsOfFile: started, encoding: .utf8).dropLast()))
        #expect(isAlive(process))
        task.cancel()
        #expect(try await task.value?.code == .cancelled)
        #expect(isGone(process))
    }

    @Test func aCancelledTaskStartsNothing() async throws {
        let (go, goEnd) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            for await _ in go {}
            return await (try script("echo")).failure()
        }
        task.cancel()
        goEnd.finish()
        #expect(try await task.value?.message.contains("not started") == true)
    }

    /// How a script ends that is stopped at its deadline, and the number that it wrote. It gets more time where it had not
    /// come so far yet.
    private func stopped(_ text: String) async throws -> (error: AudioError, number: pid_t) {
        var deadline = Duration.milliseconds(400)
        while true {
            let error = await (try script(text) { $0.deadline = deadline }).failure()
            if let error, let number = number(in: error) { return (error, number) }
            try #require(deadline < .seconds(60), "it wrote no number: \(error?.message ?? "")")
            deadline *= 2
        }
    }

    /// The number that the program wrote as its last words.
    private func number(in error: AudioError?) -> pid_t? {
        error?.message.split(separator: " ").last.flatMap { pid_t($0) }
    }
}
