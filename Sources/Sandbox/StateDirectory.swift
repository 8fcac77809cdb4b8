import Glibc

/// Where the sandbox servers of this user live.
enum StateDirectory {
    /// `$XDG_STATE_HOME/replhost/sandbox`, or `~/.local/state/replhost/sandbox`.
    ///
    /// Started by root, the servers run as another user, who usually cannot enter root's home. Then the directory is one
    /// below `/var/lib/replhost`, a different one for each directory it stands for.
    static func path(for account: ServerAccount) throws(SandboxError) -> String {
        guard let home = UserDirectory.state.path else { throw .noStateDirectory }
        let wanted = home + "/replhost/sandbox"
        guard account.differsFromCaller, !canReach(wanted, account) else { return wanted }
        return "/var/lib/replhost/" + hash(wanted)
    }

    /// 16 hexadecimal digits that stand for the text (FNV-1a).
    static func hash(_ text: String) -> String {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 {
            value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// True if the account may pass through every directory of the path that exists.
    private static func canReach(_ path: String, _ account: ServerAccount) -> Bool {
        var current = path
        while current != "/" {
            var info = stat()
            if stat(current, &info) == 0, !mayPass(info, account) { return false }
            current = FileTree.parent(of: current)
        }
        return true
    }

    private static func mayPass(_ info: stat, _ account: ServerAccount) -> Bool {
        if info.st_uid == account.userID { return info.st_mode & 0o100 != 0 }
        if info.st_gid == account.groupID { return info.st_mode & 0o010 != 0 }
        return info.st_mode & 0o001 != 0
    }
}
