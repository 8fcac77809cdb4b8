/// What this program is made of.
package enum HostVersions {
    package static let replhost = "0.1.0"

    /// One line.
    package static var text: String { "replhost \(replhost)" }
}
