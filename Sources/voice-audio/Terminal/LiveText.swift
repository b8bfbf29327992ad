import VoiceAudio

/// What a line tells of a recording under way.
struct LiveReading {
    /// Tenths of a second that were recorded, lost frames included.
    var tenths = 0
    /// The newest level, in dBFS.
    var levelDBFS = -Float.infinity
    /// The peak that is held, in dBFS.
    var peakDBFS = -Float.infinity
    /// Chunks in the ring, and the most that may be.
    var bufferSize = 0
    var maxBufferSize = 0
    var lostFrameCount = 0
    /// How the memory stands; `nil` where nobody asked.
    var memory: (level: MemoryPressureLevel, usedPercent: Double)?
}

/// Makes a line of a reading, in a form that the terminal shows.
struct LiveText {
    /// What shows the level: the last ones as a row of small bars, or one large bar.
    enum Picture {
        case history([Float])
        case bar
    }

    /// In the order in which parts are left out where they do not fit, the last first.
    private enum Rank: Int {
        case essential, level, picture, memory, buffer, peak
    }

    let terminal: Terminal

    /// - Parameter columnCount: The most that it may take.
    func line(_ reading: LiveReading, _ picture: Picture, columnCount: Int) -> String {
        let parts = parts(reading, picture).fitting(columnCount)
        let line = parts.joined
        guard line.count <= columnCount else { return String(line.prefix(columnCount)) }
        guard case .bar = picture else { return line }
        let room = columnCount - line.count
        let texts = parts.map { part in
            part.rank == Rank.picture.rawValue ? bar(reading, columnCount: part.text.count + room) : part.text
        }
        return texts.joined(separator: Self.gap)
    }

    static let gap = "  "

    private func parts(_ reading: LiveReading, _ picture: Picture) -> [LinePart] {
        func part(_ text: String, _ rank: Rank) -> LinePart { LinePart(text, rank: rank.rawValue) }
        var parts = [part(Self.time(reading.tenths), .essential)]
        switch picture {
        case .history(let levels):
            parts.append(part(String(levels.map(smallBar)), .picture))
            parts.append(part("\(number(reading.levelDBFS)) dBFS", .level))
        case .bar:
            // The least; what the others leave is added to it.
            parts.append(part(String(repeating: " ", count: 12), .picture))
            parts.append(part("\(number(reading.levelDBFS)) dBFS", .level))
            parts.append(part("peak \(number(reading.peakDBFS))", .peak))
        }
        let most = "\(reading.maxBufferSize)"
        parts.append(part("buffer \(Self.padded("\(reading.bufferSize)", to: most.count))/\(most)", .buffer))
        parts.append(part("lost \(reading.lostFrameCount)", .essential))
        if let memory = reading.memory {
            parts.append(part("memory \(memory.level.rawValue), \(Int(memory.usedPercent.rounded())) %", .memory))
        }
        return parts
    }

    /// A bar of that many columns, with its scale where there is room for it. Beyond 80 cells it tells no more.
    private func bar(_ reading: LiveReading, columnCount: Int) -> String {
        let scale = columnCount >= 24 ? (low: "\(minus)60 ", high: " 0") : (low: "", high: "")
        let cellCount = min(columnCount - scale.low.count - scale.high.count - 2, 80)
        let bar = LevelBar(cellCount: cellCount, isUTF8: terminal.isUTF8, hasColor: terminal.hasColor)
        return scale.low + bar.text(levelDBFS: reading.levelDBFS, peakDBFS: reading.peakDBFS) + scale.high
    }

    /// From −60 dBFS up, in eight steps.
    private func smallBar(_ decibels: Float) -> Character {
        let steps = Array(terminal.isUTF8 ? " ▁▂▃▄▅▆▇█" : " .,-~:+*#")
        guard decibels.isFinite else { return steps[0] }
        return steps[min(max(Int((decibels - LevelBar.floorDBFS) / -LevelBar.floorDBFS * 8) + 1, 0), 8)]
    }

    /// Whole decibels in three columns, so that what follows stays where it is.
    private func number(_ decibels: Float) -> String {
        let text =
            if decibels.isFinite, decibels > -100 {
                decibels.rounded() < 0 ? "\(minus)\(-Int(decibels.rounded()))" : "\(Int(decibels.rounded()))"
            } else {
                terminal.isUTF8 ? "−∞" : "---"
            }
        return Self.padded(text, to: 3)
    }

    private static func padded(_ text: String, to columnCount: Int) -> String {
        String(repeating: " ", count: max(0, columnCount - text.count)) + text
    }

    private var minus: String { terminal.isUTF8 ? "−" : "-" }

    /// `00:05.0`, and `1:00:05.0` from an hour on.
    private static func time(_ tenths: Int) -> String {
        let seconds = tenths / 10
        func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let hours = seconds >= 3600 ? "\(seconds / 3600):" : ""
        return "\(hours)\(twoDigits(seconds / 60 % 60)):\(twoDigits(seconds % 60)).\(tenths % 10)"
    }
}
