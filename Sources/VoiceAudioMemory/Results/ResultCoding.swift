import FoundationEssentials

/// How a ``ResultCollector`` makes bytes of its elements, and elements of the bytes.
public struct ResultCoding<Element: Sendable>: Sendable {
    /// Makes bytes of an element.
    public var encode: @Sendable (Element) throws -> [UInt8]
    /// Makes an element of such bytes.
    public var decode: @Sendable ([UInt8]) throws -> Element

    /// A coding of your own.
    ///
    /// - Parameters:
    ///   - encode: Makes bytes of an element. What it throws, `append` throws on with code `resultNotEncodable`.
    ///   - decode: Makes an element of such bytes. What it throws stands in an error with code `damagedResult`.
    ///
    /// > Concurrency: Both are called from any thread, and from several at once.
    public init(
        encode: @escaping @Sendable (Element) throws -> [UInt8], decode: @escaping @Sendable ([UInt8]) throws -> Element
    ) {
        self.encode = encode
        self.decode = decode
    }
}

extension ResultCoding where Element == [UInt8] {
    /// Bytes as they are.
    public static var bytes: Self { Self(encode: { $0 }, decode: { $0 }) }
}

extension ResultCoding where Element: Codable {
    /// Bytes as they are, and everything else as JSON.
    public static var standard: Self { ResultCoding<[UInt8]>.bytes as? Self ?? .json }

    /// JSON. Numbers that JSON lacks, infinities and those that are none, stand there as strings.
    public static var json: Self {
        // Both may be used from several threads at once; one of each serves for all elements.
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return Self(
            encode: { element in [UInt8](try encoder.encode(element)) },
            decode: { bytes in try decoder.decode(Element.self, from: Data(bytes)) })
    }
}
