import VoiceAudioCore
import VoiceAudioMemory

/// Something that belongs to a session and is closed with it.
struct SessionAttachment: Sendable {
    let name: String
    let value: any Sendable
    let byteCount: Int
    /// `nil` where it is only let go.
    let close: (@Sendable () throws -> Void)?
}

/// What a session has beside its audio: metadata, values as encoded bytes, and attachments. All of it counts against the
/// session's budget, with what a place in a table takes: so the number of parts is bounded, too.
///
/// Nothing of the program's is called here.
struct SessionParts: Sendable {
    /// Of each entry, beside its bytes.
    static let entryBytes = 64

    private(set) var metadata: [String: String] = [:]
    private(set) var values: [String: [[UInt8]]] = [:]
    private(set) var attachments: [SessionAttachment] = []
    private let metadataReservation: MemoryReservation?
    private let valueReservation: MemoryReservation?
    private let attachmentReservation: MemoryReservation?

    /// No parts, and no room for any: of a session that is another process's.
    init() {
        metadataReservation = nil
        valueReservation = nil
        attachmentReservation = nil
    }

    /// - Throws: `budgetExceeded`; `invalidState` in a fork.
    init(metadata: [String: String], in budget: MemoryBudget) throws(AudioError) {
        metadataReservation = try budget.reserve(Self.byteCount(of: metadata), for: "metadata")
        valueReservation = try budget.reserve(0, for: "values")
        attachmentReservation = try budget.reserve(0, for: "attachments")
        self.metadata = metadata
    }

    /// - Throws: `budgetExceeded`: then nothing has changed.
    mutating func setMetadata(_ key: String, to value: String?) throws(AudioError) {
        var changed = metadata
        changed[key] = value
        try metadataReservation?.resize(to: Self.byteCount(of: changed))
        metadata = changed
    }

    /// - Throws: `budgetExceeded`: then nothing has changed.
    mutating func append(_ bytes: [UInt8], to list: String) throws(AudioError) {
        let nameBytes = values[list] == nil ? list.utf8.count + Self.entryBytes : 0
        try valueReservation?.add(bytes.count + Self.entryBytes + nameBytes)
        values[list, default: []].append(bytes)
    }

    /// - Throws: `budgetExceeded`, `invalidConfiguration`, `invalidState` where there is one of that name.
    mutating func attach(_ attachment: SessionAttachment) throws(AudioError) {
        guard attachment.byteCount >= 0 else {
            throw AudioError(
                .invalidConfiguration,
                "\(attachment.byteCount) bytes for \"\(attachment.name)\" are no size: accepted are 0 and more")
        }
        guard !attachments.contains(where: { $0.name == attachment.name }) else {
            throw AudioError(
                .invalidState, "there is an attachment \"\(attachment.name)\" already: accepted is another name")
        }
        let (byteCount, isTooMuch) = attachment.byteCount.addingReportingOverflow(
            attachment.name.utf8.count + Self.entryBytes)
        try attachmentReservation?.add(isTooMuch ? .max : byteCount)
        attachments.append(attachment)
    }

    /// Bytes of values and attachments.
    var byteCount: Int { (valueReservation?.byteCount ?? 0) + (attachmentReservation?.byteCount ?? 0) }

    var valueCount: Int { values.values.reduce(0) { $0 + $1.count } }

    /// The values alone, with what they took: for whoever the session is handed back to.
    var kept: SessionValues { SessionValues(lists: values, reservation: valueReservation) }

    /// Gives back what is not handed to anybody: all but the values'.
    func giveBack() {
        // Less is never refused.
        try? metadataReservation?.resize(to: 0)
        try? attachmentReservation?.resize(to: 0)
    }

    private static func byteCount(of metadata: [String: String]) -> Int {
        metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + entryBytes }
    }
}

extension MemoryReservation {
    /// Takes more. One who adds at a time, as two might take the same bytes for free.
    fileprivate func add(_ byteCount: Int) throws(AudioError) {
        let (sum, isTooMuch) = self.byteCount.addingReportingOverflow(byteCount)
        try resize(to: isTooMuch ? .max : sum)
    }
}

/// Values of a session as encoded bytes, and the memory that they take until this goes.
struct SessionValues: Sendable {
    let lists: [String: [[UInt8]]]
    let reservation: MemoryReservation?

    /// - Throws: `damagedResult` where one is not of that type.
    func decoded<Value: Codable & Sendable>(_ type: Value.Type, in list: String) throws(AudioError) -> [Value] {
        let coding = ResultCoding<Value>.standard
        var values: [Value] = []
        for (number, bytes) in (lists[list] ?? []).enumerated() {
            do {
                values.append(try coding.decode(bytes))
            } catch {
                throw AudioError(.damagedResult, "value \(number) of \"\(list)\" is no \(type): \(error)")
            }
        }
        return values
    }
}
