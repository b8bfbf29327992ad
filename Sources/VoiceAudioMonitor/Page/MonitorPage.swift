/// The page that shows a ``LiveFeed``: its files, which are built into the program, and what they are served as.
///
/// Nothing comes from outside, and the policy has browsers refuse it.
enum MonitorPage {
    /// Scripts, styles, figures and pictures from this very server, and nothing else: no script or style in the page itself,
    /// no other page around it, and no form that sends anything by itself.
    static let contentSecurityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'none'
        """

    /// What is served, by path.
    static let responses: [String: MonitorResponse] = [
        "/": file("text/html; charset=utf-8", PackageResources.page_html),
        "/page.css": file("text/css; charset=utf-8", PackageResources.page_css),
        "/page.js": script(PackageResources.page_js),
        "/capture.js": script(PackageResources.capture_js),
        "/cleanup.js": script(PackageResources.cleanup_js),
        "/stream.js": script(PackageResources.stream_js),
        "/text.js": script(PackageResources.text_js),
        "/tiles.js": script(PackageResources.tiles_js),
        "/icon.svg": file("image/svg+xml", PackageResources.icon_svg),
    ]

    private static func script(_ body: [UInt8]) -> MonitorResponse { file("text/javascript; charset=utf-8", body) }

    private static func file(_ contentType: String, _ body: [UInt8]) -> MonitorResponse {
        MonitorResponse(
            contentType: contentType, headers: ["Content-Security-Policy": contentSecurityPolicy], body: body)
    }
}
