@preconcurrency import Glibc
import Scripting

/// Finds test files.
enum TestFiles {
    static let suffix = "_test.lua"

    /// Files as they are named, and what folders hold; each once, sorted within a folder.
    static func find(_ paths: [String]) throws(TestFilesError) -> [String] {
        var found: [String] = []
        for path in paths.isEmpty ? ["."] : paths {
            var status = stat()
            guard stat(path, &status) == 0 else { throw TestFilesError(path: path, code: errno) }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                found.append(path)
                continue
            }
            try search(path, &found)
        }
        var seen: Set<String> = []
        return found.filter { seen.insert($0).inserted }
    }

    /// Links to folders are not followed: they may lead back.
    private static func search(_ directory: String, _ found: inout [String]) throws(TestFilesError) {
        for name in try names(in: directory) {
            let path = directory == "." ? name : directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                try search(path, &found)
            } else if name.hasSuffix(suffix) {
                found.append(path)
            }
        }
    }

    private static func names(in directory: String) throws(TestFilesError) -> [String] {
        guard let stream = opendir(directory) else { throw TestFilesError(path: directory, code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}

/// A path cannot be searched; `code` is the errno.
struct TestFilesError: Error, Equatable {
    let path: String
    let code: CInt

    var report: FailureReport {
        FailureReport(code: "RH3483", "cannot open \"\(path)\": \(String(cString: strerror(code)))")
    }
}
