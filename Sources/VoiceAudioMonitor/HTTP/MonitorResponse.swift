import FoundationEssentials

/// What a request is answered. The server adds the headers that all responses have.
struct MonitorResponse: Sendable, Hashable {
    var status: Int
    /// `application/json`, with its character set where it is a text.
    var contentType: String
    /// Further headers, by name.
    var headers: [String: String] = [:]
    var body: [UInt8]

    /// A page, style, script or text that is there already.
    init(status: Int = 200, contentType: String, headers: [String: String] = [:], body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// `value` as JSON, with sorted keys.
    init(status: Int = 200, headers: [String: String] = [:], json value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            let data = try encoder.encode(value)
            self.init(status: status, contentType: "application/json", headers: headers, body: [UInt8](data))
        } catch {
            self.init(status: 500, contentType: "text/plain; charset=utf-8", body: [UInt8]("\(error)".utf8))
        }
    }

    /// A refusal: `{"error": "…"}`, with a sentence that says what is wrong and what is accepted.
    init(status: Int, error: String, headers: [String: String] = [:]) {
        self.init(status: status, headers: headers, json: ["error": error])
    }

    /// With those that every response has.
    var allHeaders: [String: String] {
        let common = [
            "Content-Type": contentType, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        ]
        return common.merging(headers) { $1 }
    }
}
