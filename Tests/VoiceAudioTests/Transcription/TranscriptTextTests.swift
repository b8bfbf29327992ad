import Foundation
import TestSupport
import Testing
import VoiceAudio

struct TranscriptTextTests {
    @Test(arguments: [
        ("  hello \t\r\n\u{2028}world ", "hello world"),
        ("a\u{0}b\u{7}\u{1B}[2Jc\u{85}d\u{9F}", "ab[2Jc d"),
        ("left\u{202E}thgir\u{2066}\u{200F}\u{FEFF}", "leftthgir"),
        ("می‌خواهم 👩‍👩‍👧 e\u{301}", "می‌خواهم 👩‍👩‍👧 e\u{301}"),
        ("\u{301}a", "\u{301}a"), ("", ""), (" \n ", ""),
    ])
    func whatMayNotBeSeenGoes(text: String, expected: String) {
        #expect(TranscriptSanitizer().sanitize(text) == expected)
    }

    @Test func aLongWordIsCutAndTheNextIsNot() {
        let long = String(repeating: "a", count: 31)
        #expect(TranscriptSanitizer().sanitize("\(long) b \(long)c") == "\(long.dropLast()) b \(long.dropLast())")
        let families = String(repeating: "👩‍👩‍👧", count: 40)
        #expect(TranscriptSanitizer().sanitize(families) == String(repeating: "👩‍👩‍👧", count: 30))
    }

    @Test func scriptsWithoutSpacesAreNotCut() {
        let chinese = String(repeating: "今天天气很好。", count: 20)
        #expect(TranscriptSanitizer().sanitize(chinese) == chinese)
        let thai = String(repeating: "สวัสดี", count: 20)
        #expect(TranscriptSanitizer().sanitize(thai) == thai)
    }

    @Test func theWholeIsCappedBetweenCharacters() throws {
        let sanitizer = try TranscriptSanitizer(maxBytes: 10)
        #expect(sanitizer.sanitize("123456789é") == "123456789")
        #expect(sanitizer.sanitize("12345678é") == "12345678é")
        #expect(sanitizer.sanitize("123456789 b") == "123456789")
        // One character of a thousand accents is one character.
        #expect(sanitizer.sanitize("a" + String(repeating: "\u{301}", count: 1000)) == "")
        #expect(throws: AudioError.self) { try TranscriptSanitizer(maxBytes: 0) }
        #expect(throws: AudioError.self) { try TranscriptSanitizer(maxWordCharacters: 0) }
    }

    /// For any text the limits hold, and doing it again changes nothing.
    @Test func anyTextIsWithinTheLimits() throws {
        var random = SeededGenerator(seed: 7)
        let pieces = Array("ab \n\t\u{1B}é👩‍👩‍👧\u{301}\u{202E}\u{200D}\u{FEFF}🇩🇪x".unicodeScalars)
        let sanitizer = try TranscriptSanitizer(maxWordCharacters: 5, maxBytes: 60)
        for _ in 0..<2000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...80, using: &random) { text.append(pieces.randomElement(using: &random)!) }
            let clean = sanitizer.sanitize(String(text))
            #expect(clean.utf8.count <= 60)
            #expect(clean.split(separator: " ").allSatisfy { $0.count <= 5 })
            #expect(!clean.unicodeScalars.contains { $0.properties.generalCategory == .control || $0 == "\u{202E}" })
            #expect(sanitizer.sanitize(clean) == clean)
        }
    }

    @Test func whatIsTooLittleIsToldWithItsReason() {
        let validator = TranscriptValidator(minimumCharacters: 8, minimumWords: 3)
        #expect(validator.rejection(of: "") == .noWords)
        #expect(validator.rejection(of: " ♪ … !") == .noWords)
        #expect(validator.rejection(of: "a b c d") == .tooShort(characters: 4, minimum: 8))
        #expect(validator.rejection(of: "hello – world") == .tooFewWords(words: 2, minimum: 3))
        #expect(validator.rejection(of: "don't go now") == nil)
        #expect(validator.rejection(of: "今天天气很好啊") == .tooShort(characters: 7, minimum: 8))
        #expect(validator.rejection(of: "今天天气很好啊。") == nil)
        #expect(TranscriptValidator().rejection(of: "7") == nil)
        #expect(TranscriptValidator.Rejection.noWords.error.code == .noTranscript)
        #expect(TranscriptValidator.Rejection.tooShort(characters: 4, minimum: 8).error.code == .transcriptTooShort)
        #expect(TranscriptValidator.Rejection.tooFewWords(words: 2, minimum: 3).error.code == .tooFewWords)
    }

    @Test func resultsKeepWhatTheyAreAsJSON() throws {
        for result in [
            SegmentResult(
                index: 3, outcome: .success(Transcript(text: "a", language: "de", elapsed: .milliseconds(1500))),
                attempts: 1, elapsed: .seconds(2)),
            SegmentResult(
                index: 4, outcome: .failure(AudioError(.noSuchFile, "none", status: 2)), attempts: 2, elapsed: .zero),
        ] {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let json = try encoder.encode(result)
            #expect(try JSONDecoder().decode(SegmentResult.self, from: json) == result)
            #expect(String(decoding: json, as: UTF8.self).contains("\"elapsed_seconds\":"))
        }
    }
    @Test(arguments: ["1e300", "-1e300", "9.3e18"]) func aDurationThatCannotBeIsNoResult(seconds: String) throws {
        let transcript = Data("{\"text\":\"a\",\"elapsed_seconds\":\(seconds)}".utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Transcript.self, from: transcript) }
        let result = Data(
            "{\"index\":0,\"attempts\":1,\"elapsed_seconds\":\(seconds),\"transcript\":{\"text\":\"a\",\"elapsed_seconds\":1}}"
                .utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(SegmentResult.self, from: result) }
        let longest = Data("{\"text\":\"a\",\"elapsed_seconds\":9.2e18}".utf8)
        #expect(try JSONDecoder().decode(Transcript.self, from: longest).elapsed > .seconds(9_100_000_000_000_000_000))
    }
}
