import TestSupport
import VoiceAudioCore
import XCTest

@testable import VoiceAudioIO

/// What `default` stands for, by real alsa-lib. XCTest: the configuration is the process's.
final class DefaultDeviceTests: XCTestCase {
    private func standard(_ configuration: String) throws -> DefaultPCM {
        try withTemporaryDirectory { directory in
            try withALSAConfiguration(configuration, in: directory) {
                let messages = ALSAMessages()
                defer { messages.end() }
                return SystemALSACalls().defaultPCM()
            }
        }
    }

    func testACardIsFoundBehindPlugins() throws {
        XCTAssertEqual(try standard("pcm.!default { type hw card Mic }"), .card("Mic"))
        XCTAssertEqual(try standard("pcm.!default { type hw card 3 }"), .card("3"))
        XCTAssertEqual(try standard("pcm.!default { type plug slave.pcm { type hw card 3 } }"), .card("3"))
        XCTAssertEqual(try standard("pcm.mine { type hw card 2 }\npcm.!default mine"), .card("2"))
        XCTAssertEqual(
            try standard("pcm.mine { type hw card 2 }\npcm.!default { type plug slave.pcm mine }"), .card("2"))
        XCTAssertEqual(
            try standard("pcm_slave.s { pcm { type hw card 6 } }\npcm.!default { type plug slave s }"), .card("6"))
        // What captures counts, not what plays.
        XCTAssertEqual(
            try standard(
                """
                pcm.!default {
                    type asym
                    playback.pcm { type hw card 1 }
                    capture.pcm { type plug slave.pcm { type dsnoop ipc_key 9 slave.pcm { type hw card 5 } } }
                }
                """), .card("5"))
    }

    func testASoundServerIsNotLookedBehind() throws {
        XCTAssertEqual(try standard("pcm.!default { type pulse }"), .plugin("pulse"))
        XCTAssertEqual(try standard("pcm.!default { type plug slave.pcm { type pipewire } }"), .plugin("pipewire"))
    }

    func testTheEnvironmentIsFollowedAsALSADoes() throws {
        let definition = """
            pcm.!default {
                @args [ CARD ]
                @args.CARD { type string default { @func getenv vars [ ALSA_PCM_CARD ALSA_CARD ] default "0" } }
                type empty
                slave.pcm { type plug slave.pcm { type hw card $CARD } }
            }
            """
        XCTAssertEqual(try standard(definition), .card("0"))
        let before = changeProcessEnvironment(["ALSA_CARD": "Mic"])
        defer { changeProcessEnvironment(before) }
        XCTAssertEqual(try standard(definition), .card("Mic"))
    }

    func testWhatLeadsNowhereIsNothing() throws {
        XCTAssertEqual(try standard("pcm.!default { type plug slave.pcm nowhere }"), .nothing)
        XCTAssertEqual(try standard("pcm.!default other\npcm.other { type plug slave.pcm other }"), .nothing)
        XCTAssertEqual(try standard("pcm.!default { type hw }"), .nothing)
        XCTAssertEqual(try standard("pcm.!default { type asym playback.pcm { type hw card 1 } }"), .nothing)
    }

    func testACardIsFoundByNumberAndID() {
        let cards = [
            SoundCard(index: 0, id: "HDA", name: "", captureDevices: [:]),
            SoundCard(index: 1, id: "Mic", name: "", captureDevices: [:]),
        ]
        XCTAssertEqual(DefaultDevice(.card("1"), among: cards).card?.id, "Mic")
        XCTAssertEqual(DefaultDevice(.card("HDA"), among: cards).card?.index, 0)
        XCTAssertEqual(DefaultDevice(.card("7"), among: cards), .nothing)
    }

    /// Watches by the hundred leave nothing behind, however they end.
    func testWatchesLeaveNoDescriptor() throws {
        func watch(_ count: Int) throws {
            for index in 0..<count {
                let watch = try DeviceWatch()
                XCTAssertThrowsError(try watch.next(timeout: .zero))
                if index % 2 == 0 { watch.end() }
                var roots = SystemRoots()
                roots.dev = "/nowhere"
                XCTAssertThrowsError(
                    try DeviceWatch(calls: SystemALSACalls(), roots: roots, clock: SystemClock()))
            }
        }
        try watch(20)
        let before = (descriptors: ProcessCounts.descriptors, bytes: ProcessCounts.residentBytes)
        try watch(200)
        // Fewer where something of a test before had not ended yet.
        XCTAssertLessThanOrEqual(ProcessCounts.descriptors, before.descriptors)
        if !ProcessCounts.isSanitized { XCTAssertLessThan(ProcessCounts.residentBytes - before.bytes, 1 << 20) }
    }
}
