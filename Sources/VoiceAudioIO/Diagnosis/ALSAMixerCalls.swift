import CALSA

// SAFETY: in this file a mixer and its elements live until `snd_mixer_close`, which the function that opened it calls;
// results are written to locals; strings are copied before what holds them is given back.

/// alsa-lib's calls that read a mixer. The seam where a test puts its own.
package protocol ALSAMixerCalls: Sendable {
    /// What concerns capture in the mixer of the control device `name`: `hw:Mic`, or a sound server's.
    ///
    /// - Returns: A negative `errno` value and nothing where it cannot be read.
    func mixerElements(ofControl name: String) -> (status: Int32, elements: [MixerElement])
}

extension SystemALSACalls: ALSAMixerCalls {
    package func mixerElements(ofControl name: String) -> (status: Int32, elements: [MixerElement]) {
        var mixer: OpaquePointer?
        var status = unsafe snd_mixer_open(&mixer, 0)
        guard status >= 0 else { return (status, []) }
        defer { _ = unsafe snd_mixer_close(mixer) }
        status = unsafe snd_mixer_attach(mixer, name)
        if status >= 0 { status = unsafe snd_mixer_selem_register(mixer, nil, nil) }
        if status >= 0 { status = unsafe snd_mixer_load(mixer) }
        guard status >= 0 else { return (status, []) }
        var elements: [MixerElement] = []
        var next = unsafe snd_mixer_first_elem(mixer)
        while let element = unsafe next {
            if unsafe snd_mixer_selem_is_active(element) != 0, let read = unsafe Self.read(element) {
                elements.append(read)
            }
            unsafe next = snd_mixer_elem_next(element)
        }
        return (0, elements)
    }

    /// `nil` where it does not concern capture.
    @unsafe private static func read(_ element: OpaquePointer) -> MixerElement? {
        guard let name = unsafe snd_mixer_selem_get_name(element) else { return nil }
        var read = unsafe MixerElement(name: String(cString: name), index: Int(snd_mixer_selem_get_index(element)))
        let playsVolume = unsafe snd_mixer_selem_has_playback_volume(element) != 0
        let playsSwitch = unsafe snd_mixer_selem_has_playback_switch(element) != 0
        read.hasPlayback = playsVolume || playsSwitch
        if unsafe snd_mixer_selem_has_common_volume(element) != 0 {
            unsafe read.commonVolume = volume(element, snd_mixer_selem_get_playback_volume_range) {
                unsafe snd_mixer_selem_get_playback_volume(element, $0, &$1)
            }
        } else if unsafe snd_mixer_selem_has_capture_volume(element) != 0 {
            unsafe read.captureVolume = volume(element, snd_mixer_selem_get_capture_volume_range) {
                unsafe snd_mixer_selem_get_capture_volume(element, $0, &$1)
            }
        }
        let switches = unsafe snd_mixer_selem_has_capture_switch(element) != 0
        if switches, unsafe snd_mixer_selem_has_common_switch(element) == 0 {
            read.captureSwitch = unsafe channels(of: element) { channel in
                var isOn: Int32 = 0
                return unsafe snd_mixer_selem_get_capture_switch(element, channel, &isOn) >= 0 ? isOn != 0 : nil
            }
        }
        if unsafe snd_mixer_selem_is_enum_capture(element) != 0 { unsafe read.choice = choice(element) }
        let concernsCapture =
            read.captureSwitch != nil || read.captureVolume != nil || read.commonVolume != nil || read.choice != nil
        return concernsCapture ? read : nil
    }

    private typealias RangeCall = (OpaquePointer?, UnsafeMutablePointer<Int>?, UnsafeMutablePointer<Int>?) -> Int32

    @unsafe private static func volume(
        _ element: OpaquePointer, _ rangeCall: RangeCall,
        _ valueCall: (snd_mixer_selem_channel_id_t, inout Int) -> Int32
    ) -> MixerElement.Volume? {
        var low = 0
        var high = 0
        guard unsafe rangeCall(element, &low, &high) >= 0, low < high else { return nil }
        let values = unsafe channels(of: element) { channel in
            var value = 0
            return valueCall(channel, &value) >= 0 ? value : nil
        }
        return values.map { MixerElement.Volume(range: low...high, values: $0) }
    }

    /// What `value` tells of each channel that the element has; `nil` where it tells of none.
    @unsafe private static func channels<Value>(
        of element: OpaquePointer, _ value: (snd_mixer_selem_channel_id_t) -> Value?
    ) -> [Value]? {
        let last = SND_MIXER_SCHN_LAST.rawValue
        let values = (0...last).compactMap { number -> Value? in
            let channel = snd_mixer_selem_channel_id_t(rawValue: number)
            let captures = unsafe snd_mixer_selem_has_capture_channel(element, channel) != 0
            let plays = unsafe snd_mixer_selem_has_playback_channel(element, channel) != 0
            return captures || plays ? value(channel) : nil
        }
        return values.isEmpty ? nil : values
    }

    @unsafe private static func choice(_ element: OpaquePointer) -> MixerElement.Choice? {
        var chosen: UInt32 = 0
        let count = unsafe snd_mixer_selem_get_enum_items(element)
        guard count > 0, unsafe snd_mixer_selem_get_enum_item(element, SND_MIXER_SCHN_MONO, &chosen) >= 0 else {
            return nil
        }
        let names = (0..<UInt32(min(count, 256))).map { item in
            unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
                unsafe snd_mixer_selem_get_enum_item_name(element, item, 64, text.baseAddress) >= 0
                    ? unsafe String(cString: text.baseAddress!) : ""
            }
        }
        return names.indices.contains(Int(chosen)) ? MixerElement.Choice(names: names, chosen: Int(chosen)) : nil
    }
}
