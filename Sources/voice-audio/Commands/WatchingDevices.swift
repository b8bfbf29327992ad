import Glibc
import VoiceAudio

/// Prints each change among the sound cards as a line, until Ctrl-C.
func watchDevices(asJSON: Bool) throws(CommandFailure) {
    let watch: DeviceWatch
    let interruption: Interruption
    do throws(AudioError) {
        interruption = try Interruption()
        watch = try DeviceWatch()
    } catch {
        throw CommandFailure(error)
    }
    printError("watching \(watch.cards.count) sound cards; Ctrl-C ends it")
    while let change = try nextChange(watch, interruption) {
        let line = ChangeLine(change)
        if asJSON { try printJSONLine(line) } else { print(line.text) }
        // Somebody waits for each line; where nobody reads them any more, the tool's end says so.
        guard fflush(nil) == 0 else { return }
    }
}

private func nextChange(_ watch: DeviceWatch, _ interruption: Interruption) throws(CommandFailure) -> DeviceChange? {
    do throws(AudioError) {
        return try watch.next(timeout: nil, interrupt: interruption.descriptor)
    } catch {
        throw CommandFailure(error)
    }
}

/// One change, for people and programs.
private struct ChangeLine: Encodable {
    let event: String
    let card: SoundCard?
    /// The type of the plugin that `default` now stands for.
    let plugin: String?

    init(_ change: DeviceChange) {
        switch change {
        case .added(let card): (event, self.card, plugin) = ("added", card, nil)
        case .removed(let card): (event, self.card, plugin) = ("removed", card, nil)
        case .changed(let card): (event, self.card, plugin) = ("changed", card, nil)
        case .defaultChanged(.card(let card)): (event, self.card, plugin) = ("default_changed", card, nil)
        case .defaultChanged(.plugin(let type)): (event, card, plugin) = ("default_changed", nil, type)
        case .defaultChanged(.nothing): (event, card, plugin) = ("default_changed", nil, nil)
        }
    }

    var text: String {
        let name = event == "default_changed" ? "default is now" : event
        guard let card else { return "\(name) \(plugin.map { "a plugin: \($0)" } ?? "nothing")" }
        return "\(name) card \(card.index): \(card.id), \(card.name)" + (card.stableName.map { ", \($0)" } ?? "")
    }
}
