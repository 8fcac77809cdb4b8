import Glibc

/// Files and directories, as far as servers need them.
package enum FileTree {
    /// Names in a directory without "." and ".."; empty if it cannot be read.
    package static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = Self.name(of: entry)
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    package static func isExecutable(_ path: String) -> Bool {
        access(path, X_OK) == 0
    }

    package static func isDirectory(_ path: String) -> Bool {
        mode(of: path).map { $0 & S_IFMT == S_IFDIR } ?? false
    }

    /// The whole file; nil if it cannot be read.
    package static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
            bytes += buffer[..<count]
        }
    }

    /// Adds to the end of the file, which is made (mode 0600) if missing.
    package static func append(_ text: String, to path: String) throws(SandboxError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(operation: "open", path: path, errno: errno) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw .file(operation: "write", path: path, errno: errno)
        }
    }

    /// Makes the directory and its parents, all with `mode` whatever the umask; those that exist stay as they are.
    package static func makeDirectories(_ path: String, mode: UInt32) throws(SandboxError) {
        guard !isDirectory(path) else { return }
        let parent = Self.parent(of: path)
        if parent != path { try makeDirectories(parent, mode: mode) }
        if mkdir(path, mode) != 0 {
            guard errno == EEXIST else { throw .file(operation: "create", path: path, errno: errno) }
        } else if chmod(path, mode) != 0 {
            throw .file(operation: "change the mode of", path: path, errno: errno)
        }
    }

    /// A directory that only `account` (and root) can enter, made if missing.
    package static func makePrivateDirectory(_ path: String, for account: ServerAccount) throws(SandboxError) {
        if mkdir(path, 0o700) == 0 {
            guard !account.differsFromCaller || chown(path, account.userID, account.groupID) == 0 else {
                throw .file(operation: "change the owner of", path: path, errno: errno)
            }
        } else if errno != EEXIST {
            throw .file(operation: "create", path: path, errno: errno)
        }
        var info = stat()
        guard lstat(path, &info) == 0 else { throw .file(operation: "inspect", path: path, errno: errno) }
        guard info.st_mode & S_IFMT == S_IFDIR, info.st_uid == account.userID, info.st_mode & 0o077 == 0 else {
            throw .unsafeDirectory(path: path)
        }
    }

    package static func rename(_ from: String, to: String) throws(SandboxError) {
        guard Glibc.rename(from, to) == 0 else { throw .file(operation: "rename", path: from, errno: errno) }
    }

    /// Removes a file or a directory with all in it; a missing one is fine. Links are removed, not followed.
    package static func remove(_ path: String) throws(SandboxError) {
        if unlink(path) == 0 || errno == ENOENT { return }
        if errno == EISDIR || errno == EPERM {
            for name in names(in: path) {
                try remove(path + "/" + name)
            }
            if rmdir(path) == 0 || errno == ENOENT { return }
        }
        throw .file(operation: "remove", path: path, errno: errno)
    }

    /// Bytes on disk of a file or of a directory with all in it. Files that vanish meanwhile count as 0.
    package static func size(of path: String) -> Int {
        var info = stat()
        guard lstat(path, &info) == 0 else { return 0 }
        let own = Int(info.st_blocks) * 512
        guard info.st_mode & S_IFMT == S_IFDIR else { return own }
        return names(in: path).reduce(own) { $0 + size(of: path + "/" + $1) }
    }

    package static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// The path without links; the path itself if it does not exist.
    package static func resolved(_ path: String) -> String {
        guard let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }

    /// Where a symbolic link points to; nil if it is none or may not be read.
    package static func linkTarget(of path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count >= 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func mode(of path: String) -> mode_t? {
        var info = stat()
        return stat(path, &info) == 0 ? info.st_mode : nil
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return "" }
        // Safe: readdir ends d_name with a zero, and the string is copied before the next call.
        return String(cString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
    }
}
