import FoundationEssentials
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// What changes from one tenth of a second to the next.
struct LevelsEvent: Encodable {
    /// The ``StatesEvent`` whose processors the rows are of, in their order.
    let states: Int
    let seconds: Double
    let process: LiveReport.Process
    let pressure: LiveReport.Pressure?
    let budgets: [LiveReport.Budget]
    let registries: [LiveReport.Registry]

    init(_ report: LiveReport, states: Int) {
        self.states = states
        seconds = (report.secondsSince1970 * 1000).rounded() / 1000
        process = report.process
        pressure = report.pressure
        budgets = report.budgets
        registries = report.registries
    }

    /// As JSON, with a member `rows`: an array for each processor, of rms and peak, fill of chunks and of bytes, 0…1 in ten
    /// thousandths; then lost frames: by the device, evicted, refused, cleaned up, missed by subscribers.
    ///
    /// The rows are written here: with 256 sessions a block takes 2.0 ms, and took 4.7 ms with the encoder for all of it.
    func json(with processors: [LiveReport.Processor]) throws -> [UInt8] {
        var json = [UInt8](try JSONEncoder().encode(self).dropLast())
        json.reserveCapacity(json.count + 64 * processors.count + 16)
        json += ",\"rows\":[".utf8
        for (index, processor) in processors.enumerated() {
            json += (index == 0 ? "[" : ",[").utf8
            for value in [Double(processor.level.rms), Double(processor.level.peak), processor.chunkFill] {
                Self.append(Self.part(value), ",", to: &json)
            }
            Self.append(Self.part(processor.byteFill), ",", to: &json)
            let losses = processor.losses
            for frames in [losses.device, losses.ringEvicted, losses.ringRefused, losses.cleanedUp] {
                Self.append(frames, ",", to: &json)
            }
            Self.append(losses.missedBySubscribers, "]", to: &json)
        }
        json += "]}".utf8
        return json
    }

    private static func append(_ value: Int, _ next: String, to json: inout [UInt8]) {
        json += String(value).utf8
        json += next.utf8
    }

    /// Ten thousandths, up to 100: samples in floating point may be above full scale.
    private static func part(_ value: Double) -> Int { Int((min(max(value, 0), 100) * 10_000).rounded()) }
}

/// What seldom changes: who there is, how each fares, and what is wrong.
struct StatesEvent: Encodable, Equatable {
    /// Counts up with each change.
    var states: Int
    let problems: [LiveReport.Problem]
    let pressure: String?
    let processors: [Processor]

    struct Processor: Encodable, Equatable {
        let name: String
        let registry: String?
        let sampleRate: Int
        let state: String
        let health: CaptureHealth?
        let healthReason: String?

        enum CodingKeys: String, CodingKey {
            case name
            case registry
            case sampleRate = "sample_rate"
            case state
            case health
            case healthReason = "health_reason"
        }
    }

    init(_ report: LiveReport, states: Int) {
        self.states = states
        problems = report.problems
        pressure = report.pressure?.level.rawValue
        processors = report.processors.map {
            Processor(
                name: $0.name, registry: $0.registry, sampleRate: $0.sampleRate, state: $0.state, health: $0.health,
                healthReason: $0.healthReason)
        }
    }
}
