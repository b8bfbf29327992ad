/// A request as it came, once its headers are complete.
struct MonitorRequest: Sendable, Hashable {
    /// In capitals: `GET`.
    var method: String
    /// Without its query, and without percent encoding: `/metrics`.
    var path: String
    /// What stands behind the `?`, decoded; of a name that comes more than once all values, with commas between.
    var query: [String: String] = [:]
    /// By names in small letters; of a name that comes more than once all values, with commas between.
    var headers: [String: String] = [:]
}
