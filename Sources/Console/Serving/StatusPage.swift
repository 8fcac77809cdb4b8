import Scripting

/// The page that shows a run in a browser.
enum StatusPage {
    /// Nil if the standard library does not have it.
    static let text: String? = StandardLibraryFile.path("replhost/page.html").flatMap(TextFile.read)
}
