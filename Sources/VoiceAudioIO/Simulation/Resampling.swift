import Glibc

/// A short sound at another rate, for the built-in speech alone: what a device delivers is never resampled here.
///
/// Interpolates with a sinc under a Hann window, eight zero crossings to either side, which cuts off at half of the lower
/// rate (J. O. Smith, "Digital Audio Resampling").
///
/// - Complexity: O(*n*) in the samples of the result.
func resampled(_ samples: [Float], from rate: Int, to newRate: Int) -> [Float] {
    let step = Double(rate) / Double(newRate)
    let cutOff = min(1, 1 / step)
    let reach = 8 / cutOff
    return (0..<samples.count * newRate / rate).map { index in
        let center = Double(index) * step
        let first = max(0, Int((center - reach).rounded(.up)))
        let last = min(samples.count - 1, Int(center + reach))
        var sum = 0.0
        for place in first...last {
            let distance = Double(place) - center
            let window = 0.5 + 0.5 * cos(.pi * distance / reach)
            let phase = .pi * distance * cutOff
            sum += Double(samples[place]) * window * cutOff * (phase == 0 ? 1 : sin(phase) / phase)
        }
        return Float(sum)
    }
}
