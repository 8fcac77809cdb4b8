import CLibpq

/// The libpq that this process uses.
package enum LibraryVersion {
    /// As "15.13".
    package static var text: String {
        let number = PQlibVersion()
        return "\(number / 10000).\(number % 10000)"
    }
}
