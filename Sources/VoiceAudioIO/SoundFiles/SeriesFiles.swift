import Glibc
import VoiceAudioCore

/// The files of a ``RecordingSeries``: `meeting-000001.wav` and so on.
struct SeriesFiles {
    private let name: FileName
    private let format: AudioFormat
    private let type: RecordingFileType
    private let minimumFreeBytes: Int
    private let clock: any AudioClock

    /// So many that names sort as numbers do: a file a minute for almost two years.
    private static let digitCount = 6

    init(
        _ path: String, format: AudioFormat, type: RecordingFileType?, minimumFreeBytes: Int, clock: any AudioClock
    ) throws(AudioError) {
        name = FileName(path)
        self.format = format
        if let type { self.type = type } else { self.type = try RecordingFileType(suffixOf: path) }
        self.minimumFreeBytes = minimumFreeBytes
        self.clock = clock
    }

    /// Starts the file of the first number from `number` on that is free.
    ///
    /// - Throws: As ``RecordingWriter``.
    func make(from number: inout Int) throws(AudioError) -> RecordingWriter {
        while true {
            do throws(AudioError) {
                return try RecordingWriter(
                    path: path(number), format: format, type: type, replacesOld: false,
                    minimumFreeBytes: minimumFreeBytes, clock: clock)
            } catch {
                guard error.status == EEXIST else { throw error }
                number += 1
            }
        }
    }

    /// The highest number that is there; 0 where there is none.
    ///
    /// - Throws: `notWritable` where there is no such directory.
    func highestNumber() throws(AudioError) -> Int {
        try FileTarget(path(0)).directory.names().compactMap(number(of:)).max() ?? 0
    }

    /// Removes the files up to a number, as far as that is allowed.
    func removeAll(upTo last: Int) {
        guard let target = try? FileTarget(path(0)) else { return }
        for name in target.directory.names() {
            if let number = number(of: name), number <= last { target.directory.unlink(name) }
        }
    }

    private func path(_ number: Int) -> String {
        let digits = "\(number)"
        return
            "\(name.stem)-\(String(repeating: "0", count: max(0, Self.digitCount - digits.count)))\(digits)\(name.suffix)"
    }

    /// The number of a file of the series, by its name in the directory.
    private func number(of fileName: String) -> Int? {
        let prefix = (name.stem.lastIndex(of: "/").map { name.stem[name.stem.index(after: $0)...] } ?? name.stem) + "-"
        guard fileName.hasPrefix(prefix), fileName.hasSuffix(name.suffix),
            fileName.count >= prefix.count + name.suffix.count + Self.digitCount
        else { return nil }
        let digits = fileName.dropFirst(prefix.count).dropLast(name.suffix.count)
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(digits)
    }
}
