// Captures for minutes or hours through the real alsa-lib, from frames that count themselves, while everything else that
// a program may do happens again and again. Ends with a table, and with status 1 where anything grew or went missing.
//
//   Soak --minutes N [--fields FIELDS] [--device NAME]
//
// FIELDS are those of the numbered PCM (Docs/TestingYourProgram.md), such as `fault_every_ms 1000`. Without them it makes
// no faults. NAME is another device to capture from, such as `sim:`.
import Foundation
import Glibc
import TestSupport
import VoiceAudio

// As main.swift is bound to the main actor, all else is in functions.
do {
    let options = try SoakOptions(CommandLine.arguments.dropFirst())
    exit(try runSoak(options) ? 0 : 1)
} catch {
    FileHandle.standardError.write(Data("soak: \(error)\n".utf8))
    exit(2)
}
