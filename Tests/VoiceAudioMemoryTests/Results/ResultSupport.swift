import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

/// The smallest budget, which is four blocks.
let smallBudget = 128 << 10
let blockBytes = smallBudget / 4

/// A collector of bytes that spills to the system's temporary directory, whatever that is.
func byteCollector(
    in node: MemoryBudget? = nil, spill: ResultSpill = ResultSpill(minimumFreeBytes: 0)
) -> ResultCollector<[UInt8]> {
    var spill = spill
    spill.directory = spill.directory ?? NSTemporaryDirectory()
    return ResultCollector(budget: .bytes(smallBudget), in: node, spill: spill)
}

/// Bytes that tell their number and count, from 0 to 3,000 of them.
func numberedBytes(_ number: Int) -> [UInt8] {
    [UInt8](pattern[(number & 255)...].prefix(number * 7919 % 3001))
}

private let pattern = (0..<3300).map { UInt8(truncatingIfNeeded: $0 &* 17 &+ $0 >> 8) }

/// Appends results by their number; how many there are then.
@discardableResult
func append(_ numbers: Range<Int>, to results: ResultCollector<[UInt8]>) throws -> Int {
    for number in numbers {
        try results.append(numberedBytes(number))
        let report = results.report
        guard report.memoryBytes <= smallBudget, report.peakMemoryBytes <= smallBudget else {
            Issue.record("\(report.memoryBytes) bytes are held")
            break
        }
    }
    return results.count
}

/// Checks that all results are there, in order, but for those that `isDamaged` names.
func expectNumbered(
    _ results: ResultCollector<[UInt8]>, _ count: Int, damaged: Set<Int> = [],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    var next = 0
    for result in results {
        switch result {
        case .success(let bytes):
            if bytes != numberedBytes(next) || damaged.contains(next) {
                Issue.record("result \(next) is not as it should be", sourceLocation: sourceLocation)
            }
        case .failure(let error):
            if !damaged.contains(next) || error.code != .damagedResult || !error.message.contains(" \(next) ") {
                Issue.record("result \(next): \(error)", sourceLocation: sourceLocation)
            }
        }
        next += 1
    }
    #expect(next == count, sourceLocation: sourceLocation)
}

/// Expects an error with this code.
@discardableResult
func expectError<Result>(
    _ code: AudioError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Result
) -> AudioError? {
    let error = #expect(throws: AudioError.self, sourceLocation: sourceLocation) { _ = try body() }
    #expect(error?.code == code, "\(String(describing: error))", sourceLocation: sourceLocation)
    return error
}

extension Result where Failure == AudioError {
    /// The code of the failure, if it is one.
    var code: AudioError.Code? {
        if case .failure(let error) = self { error.code } else { nil }
    }
}
