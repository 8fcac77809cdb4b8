/// Where a server puts its Unix socket, whose path the system limits to 107 bytes.
enum SocketDirectory {
    /// A directory below `directory`, or a private one in `/tmp` if that would be too long a path.
    static func path(in directory: String, for account: ServerAccount) -> String {
        let near = directory + "/socket"
        let longestName = "/.s.PGSQL.65535"
        guard near.utf8.count + longestName.utf8.count > 107 else { return near }
        return "/tmp/replhost-\(account.userID)-\(StateDirectory.hash(directory))"
    }
}
