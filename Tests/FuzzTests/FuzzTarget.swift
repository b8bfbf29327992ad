/// A part of the library that reads what others wrote, and what is put into it.
struct FuzzTarget: Sendable {
    let name: String
    /// Of a hundred inputs.
    let share: Int
    /// Valid inputs to begin from.
    let corpus: [[UInt8]]
    /// What parsers look for.
    let words: [String]
    /// Bytes of the longest input.
    var limit = 4096
    /// Tries an input. Throws what no input should lead to; an error that refuses the input is not such a thing.
    let run: @Sendable ([UInt8]) throws -> Void

    /// The input of this number, always the same.
    func input(number: Int, seed: UInt64) -> [UInt8] {
        var mutator = Mutator(seed: seed &+ UInt64(number) &* 0x9E37_79B9, words: words)
        return mutator.mutated(mutator.pick(corpus), limit: limit)
    }
}

/// What an input must not do.
struct Finding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
