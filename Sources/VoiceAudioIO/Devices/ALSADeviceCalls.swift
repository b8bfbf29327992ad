import CALSA

// SAFETY: in this file what alsa-lib allocates is given back by the function that asked for it; results are written to
// locals; strings are copied before what holds them is given back.

/// alsa-lib's calls that tell what devices there are; none opens a PCM. The seam where a test puts its own.
package protocol ALSADeviceCalls: Sendable {
    /// What `snd_device_name_hint` tells of PCMs.
    func deviceHints() -> (status: Int32, hints: [PCMHint])
    /// The sound cards, and their PCMs.
    ///
    /// - Parameter isBrief: Whether it is enough which there are: names and native formats of PCMs are left out.
    func cards(isBrief: Bool) -> [SoundCard]
    /// What the name `default` stands for in ALSA's configuration, when capturing.
    func defaultPCM() -> DefaultPCM
}

extension ALSADeviceCalls {
    /// The sound cards, with all that is known of them.
    func cards() -> [SoundCard] { cards(isBrief: false) }
}

/// What a name, `default` above all, leads to in ALSA's configuration.
package enum DefaultPCM: Sendable, Hashable {
    /// A card by its number or id.
    case card(String)
    /// A plugin of that type, and what is behind it is not ALSA's to know.
    case plugin(String)
    /// Nothing: the configuration does not name it, or what it names is not there.
    case nothing
}

extension SystemALSACalls {
    package func deviceHints() -> (status: Int32, hints: [PCMHint]) {
        var list: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        let status = unsafe snd_device_name_hint(-1, "pcm", &list)
        guard status >= 0, let list = unsafe list else { return (status, []) }
        defer { _ = unsafe snd_device_name_free_hint(list) }
        var hints: [PCMHint] = []
        var next = unsafe list
        while let hint = unsafe next.pointee {
            if let name = unsafe Self.text("NAME", of: hint) {
                let description = unsafe Self.text("DESC", of: hint) ?? ""
                hints.append(
                    PCMHint(name: name, description: description, direction: unsafe Self.text("IOID", of: hint)))
            }
            unsafe next += 1
        }
        return (0, hints)
    }

    @unsafe private static func text(_ key: String, of hint: UnsafeMutableRawPointer) -> String? {
        guard let text = unsafe snd_device_name_get_hint(hint, key) else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    package func cards(isBrief: Bool) -> [SoundCard] {
        CardFiles().cards(isBrief: isBrief, namesByControl: Self.names)
    }

    /// What a card's control calls it: for where `/proc/asound` is hidden, as in containers.
    private static func names(ofCard index: Int) -> CardFiles.Names? {
        var control: OpaquePointer?
        guard unsafe snd_ctl_open(&control, "hw:\(index)", Int32(SND_CTL_NONBLOCK)) >= 0 else { return nil }
        defer { _ = unsafe snd_ctl_close(control) }
        var info: OpaquePointer?
        guard unsafe snd_ctl_card_info_malloc(&info) >= 0 else { return nil }
        defer { unsafe snd_ctl_card_info_free(info) }
        guard unsafe snd_ctl_card_info(control, info) >= 0, let driver = unsafe snd_ctl_card_info_get_driver(info),
            let name = unsafe snd_ctl_card_info_get_name(info),
            let longName = unsafe snd_ctl_card_info_get_longname(info)
        else { return nil }
        return unsafe CardFiles.Names(
            driver: String(cString: driver), name: String(cString: name), longName: String(cString: longName))
    }

    // MARK: What a name stands for

    package func defaultPCM() -> DefaultPCM { meaning(ofPCM: "default") }

    package func meaning(ofPCM name: String) -> DefaultPCM {
        var top: OpaquePointer?
        guard unsafe snd_config_update_ref(&top) >= 0, let top = unsafe top else { return .nothing }
        defer { unsafe snd_config_unref(top) }
        return unsafe Self.definition(name, in: top, depth: 0)
    }

    /// Follows the definition of a PCM's name to a card or a plugin. Definitions may run in a circle: `depth` ends that.
    @unsafe private static func definition(_ name: String, in top: OpaquePointer, depth: Int) -> DefaultPCM {
        var found: OpaquePointer?
        guard unsafe snd_config_search_definition(top, "pcm", name, &found) >= 0, let found = unsafe found else {
            return .nothing
        }
        defer { _ = unsafe snd_config_delete(found) }
        return unsafe follow(found, in: top, depth: depth + 1)
    }

    @unsafe private static func follow(_ pcm: OpaquePointer, in top: OpaquePointer, depth: Int) -> DefaultPCM {
        guard depth < 16 else { return .nothing }
        // A name instead of a definition.
        if let name = unsafe text(of: pcm) { return unsafe definition(name, in: top, depth: depth) }
        // Without a type, as alsa-lib takes it: a hull around what is inside.
        let type = unsafe text("type", in: pcm) ?? "empty"
        switch type {
        case "hw": return unsafe text("card", in: pcm).map { .card($0) } ?? .nothing
        case "asym":
            guard let side = unsafe entry("capture", in: pcm) else { return .nothing }
            return unsafe followSlave(of: side, type: type, in: top, depth: depth)
        default: return unsafe followSlave(of: pcm, type: type, in: top, depth: depth)
        }
    }

    @unsafe private static func followSlave(
        of pcm: OpaquePointer, type: String, in top: OpaquePointer, depth: Int
    ) -> DefaultPCM {
        if let inner = unsafe entry("pcm", in: pcm) { return unsafe follow(inner, in: top, depth: depth + 1) }
        guard let slave = unsafe entry("slave", in: pcm) else { return .plugin(type) }
        if let name = unsafe text(of: slave) {
            var found: OpaquePointer?
            guard unsafe snd_config_search_definition(top, "pcm_slave", name, &found) >= 0,
                let found = unsafe found
            else { return .nothing }
            defer { _ = unsafe snd_config_delete(found) }
            guard let inner = unsafe entry("pcm", in: found) else { return .nothing }
            return unsafe follow(inner, in: top, depth: depth + 1)
        }
        guard let inner = unsafe entry("pcm", in: slave) else { return .plugin(type) }
        return unsafe follow(inner, in: top, depth: depth + 1)
    }

    @unsafe private static func entry(_ key: String, in node: OpaquePointer) -> OpaquePointer? {
        var found: OpaquePointer?
        guard unsafe snd_config_get_type(node) == SND_CONFIG_TYPE_COMPOUND,
            unsafe snd_config_search(node, key, &found) >= 0
        else { return nil }
        return unsafe found
    }

    @unsafe private static func text(_ key: String, in node: OpaquePointer) -> String? {
        guard let entry = unsafe entry(key, in: node) else { return nil }
        return unsafe text(of: entry)
    }

    /// A text, or a number as text; `nil` for what has entries.
    @unsafe private static func text(of node: OpaquePointer) -> String? {
        if unsafe snd_config_get_type(node) == SND_CONFIG_TYPE_COMPOUND { return nil }
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe snd_config_get_ascii(node, &text) >= 0, let text = unsafe text else { return nil }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}
