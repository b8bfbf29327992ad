package import VoiceAudioCore

/// An open capturing PCM: one owner, closed exactly once.
///
/// alsa-lib parses its configuration at the first open and keeps it for the process, for as long as the files do not
/// change. `snd_config_update_free_global` is never called here: the cache does not grow from open to open, and it is
/// shared with whatever else in the program uses ALSA.
package struct PCM: ~Copyable {
    let calls: any ALSACalls
    let handle: ALSAHandle
    let device: String

    /// Opens `device` for capture, non-blocking.
    ///
    /// - Throws: `noSuchDevice`, `busy`, `permissionDenied`, `deviceFailed` or `outOfResources`.
    package init(opening device: String, calls: any ALSACalls) throws(AudioError) {
        let (status, handle) = calls.open(device)
        guard status >= 0, let handle else {
            throw AudioError(alsaStatus: status, operation: .open, device: device, calls: calls)
        }
        self.calls = calls
        self.handle = handle
        self.device = device
    }

    deinit { _ = calls.close(handle) }

    /// Throws where `status` is a failure.
    func check(_ status: Int32, _ operation: ALSAOperation) throws(AudioError) {
        guard status < 0 else { return }
        throw AudioError(alsaStatus: status, operation: operation, device: device, calls: calls)
    }
}

/// The memory of a `snd_pcm_hw_params_t`.
struct HardwareParameters: ~Copyable {
    let calls: any ALSACalls
    let handle: ALSAHandle

    init(calls: any ALSACalls) throws(AudioError) {
        let (status, handle) = calls.hwParamsMalloc()
        guard status >= 0, let handle else { throw AudioError(systemCall: "snd_pcm_hw_params_malloc", status: -status) }
        self.calls = calls
        self.handle = handle
    }

    deinit { calls.hwParamsFree(handle) }
}

/// The memory of a `snd_pcm_sw_params_t`.
struct SoftwareParameters: ~Copyable {
    let calls: any ALSACalls
    let handle: ALSAHandle

    init(calls: any ALSACalls) throws(AudioError) {
        let (status, handle) = calls.swParamsMalloc()
        guard status >= 0, let handle else { throw AudioError(systemCall: "snd_pcm_sw_params_malloc", status: -status) }
        self.calls = calls
        self.handle = handle
    }

    deinit { calls.swParamsFree(handle) }
}
