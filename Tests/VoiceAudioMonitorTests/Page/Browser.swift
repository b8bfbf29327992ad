import Foundation
import Testing
import VoiceAudioCore

/// A headless Chromium with one page, spoken to in the DevTools protocol over a pair of pipes: no port, no driver.
///
/// It ends with its pipes, and after five minutes whatever happens.
final class Browser {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Where Debian and others have it.
    static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private let process = Process()
    private let commands = Pipe()
    private let answers = Pipe()
    private let folder: URL
    private var received: [UInt8] = []
    private var lastNumber = 0
    private var session: String?
    /// What the page complained of: exceptions, errors and warnings on its console, refusals of its policy.
    private(set) var complaints: [String] = []

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("browser-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        // Chromium reads commands from descriptor 3, and answers on 4. Its own sandbox needs rights that containers and root
        // do not have; here it shows only our own page.
        process.arguments = [
            "-c", "exec timeout --kill-after=5 300 \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh",
            Self.path ?? "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe",
            "--user-data-dir=\(folder.path)", "about:blank",
        ]
        process.standardInput = commands
        process.standardOutput = answers
        try process.run()
        let target = try call("Target.createTarget", ["url": "about:blank"])
        let attached = try call("Target.attachToTarget", ["targetId": target["targetId"] ?? "", "flatten": true])
        session = attached["sessionId"] as? String
        for domain in ["Page", "Runtime", "Log"] { try call("\(domain).enable") }
    }

    deinit {
        // Closed pipes end it; it is the one that reads them.
        try? commands.fileHandleForWriting.close()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Goes to a page, as wide and high as that, in CSS pixels.
    func open(_ url: String, width: Int = 1280, height: Int = 900, isDark: Bool = false) throws {
        try call(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600])
        let scheme = ["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]
        try call("Emulation.setEmulatedMedia", ["features": [scheme]])
        try call("Page.navigate", ["url": url])
        guard try eventually("location.href.startsWith('\(url)') && document.readyState === 'complete'") else {
            throw Failure(description: "\(url) does not load")
        }
    }

    /// What an expression comes to, in the page.
    func evaluate(_ expression: String) throws -> Any? {
        let answer = try call(
            "Runtime.evaluate", ["expression": expression, "returnByValue": true, "awaitPromise": true])
        if let details = answer["exceptionDetails"] { throw Failure(description: "\(expression): \(details)") }
        return (answer["result"] as? [String: Any])?["value"]
    }

    /// The text of the first element that a selector finds.
    func text(_ selector: String) throws -> String? {
        try evaluate("document.querySelector('\(selector)')?.textContent") as? String
    }

    /// Types a text into what a selector finds, as a keyboard does.
    func type(_ text: String, into selector: String) throws {
        _ = try evaluate("document.querySelector('\(selector)').focus()")
        try call("Input.insertText", ["text": text])
    }

    /// Presses a key and lets it go.
    func press(_ key: Key) throws {
        for phase in ["keyDown", "keyUp"] {
            try call(
                "Input.dispatchKeyEvent",
                ["type": phase, "key": key.rawValue, "windowsVirtualKeyCode": key.code, "text": key.text])
        }
    }

    enum Key: String {
        case tab = "Tab"
        case enter = "Enter"

        var code: Int { self == .tab ? 9 : 13 }
        var text: String { self == .tab ? "" : "\r" }
    }

    /// What the page looks like, as PNG.
    func screenshot() throws -> Data {
        let answer = try call("Page.captureScreenshot", ["format": "png"])
        return try #require(Data(base64Encoded: answer["data"] as? String ?? ""))
    }

    /// Looks until an expression is true, for a minute at most.
    func eventually(_ expression: String) throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while try evaluate(expression) as? Bool != true {
            if ContinuousClock.now >= deadline { return false }
            usleep(10_000)
        }
        return true
    }

    @discardableResult
    private func call(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
        lastNumber += 1
        var command: [String: Any] = ["id": lastNumber, "method": method, "params": parameters]
        command["sessionId"] = session
        try commands.fileHandleForWriting.write(contentsOf: JSONSerialization.data(withJSONObject: command) + [0])
        while true {
            let message = try nextMessage()
            if message["id"] as? Int == lastNumber {
                if let error = message["error"] { throw Failure(description: "\(method): \(error)") }
                return message["result"] as? [String: Any] ?? [:]
            }
            note(message)
        }
    }

    private func nextMessage() throws -> [String: Any] {
        let deadline = SystemClock().now.advanced(by: .seconds(60))
        while true {
            if let end = received.firstIndex(of: 0) {
                let message = Data(received[..<end])
                received.removeSubrange(...end)
                return try #require(JSONSerialization.jsonObject(with: message) as? [String: Any])
            }
            var descriptors = DescriptorSet(count: 1)
            descriptors.watch(answers.fileHandleForReading.fileDescriptor, at: 0)
            guard SystemClock().wait(for: descriptors, until: deadline) > 0 else {
                throw Failure(description: "the browser does not answer")
            }
            let data = answers.fileHandleForReading.availableData
            guard !data.isEmpty else { throw Failure(description: "the browser has ended") }
            received += data
        }
    }

    private func note(_ message: [String: Any]) {
        let parameters = message["params"] as? [String: Any] ?? [:]
        switch message["method"] as? String {
        case "Runtime.exceptionThrown": complaints.append("exception: \(parameters)")
        case "Runtime.consoleAPICalled": complaints.append("console: \(parameters)")
        case "Log.entryAdded":
            complaints.append("log: \((parameters["entry"] as? [String: Any])?["text"] ?? parameters)")
        default: break
        }
    }
}
