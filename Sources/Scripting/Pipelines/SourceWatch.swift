import CLuaShim
@preconcurrency import Glibc
import LuaRuntime

/// By which another state of a file is known: its time, size and place on the disk.
struct SourceStamp: Equatable, Sendable {
    private var seconds: Int
    private var nanoseconds: Int
    private var size: Int
    private var file: UInt64

    /// Nil while there is no such file: editors write another one in its place.
    init?(_ path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        (seconds, nanoseconds) = (facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec)
        (size, file) = (Int(facts.st_size), UInt64(facts.st_ino))
    }
}

/// Notices that files have changed, looking at them now and then.
struct SourceWatch {
    private var known: [String: SourceStamp] = [:]

    /// Whether one of the files is another one than at the last look, or than it was when it was loaded.
    mutating func look(at files: [String: SourceStamp]) -> Bool {
        var hasChanged = false
        for (path, loaded) in files {
            guard let stamp = SourceStamp(path) else { continue }
            if known.updateValue(stamp, forKey: path) ?? loaded != stamp { hasChanged = true }
        }
        return hasChanged
    }
}

extension ScriptHost {
    private static let lookInterval: Duration = .seconds(1)

    /// Loads the file anew (`reload`) whenever it has changed, or a module that it requires from its directory. Until the
    /// task is cancelled.
    package func watchSources() async {
        var watch = SourceWatch()
        var isDue = false
        while !Task.isCancelled {
            if watch.look(at: pipelineState.files) { isDue = true }
            // What is not followed yet takes the change up when it is.
            if isDue, reload() { isDue = false }
            do { try await Task.sleep(for: Self.lookInterval) } catch { return }
        }
    }
}

extension ScriptSource {
    private static let modules = """
        local files = {}
        for name in pairs(package.loaded) do
          local own = type(name) == "string" and not name:find "^replhost%f[%W]"
          files[#files + 1] = own and package.searchpath(name, package.path) or nil
        end
        return table.concat(files, "\\n")
        """

    /// The file, and the modules that its state has just loaded.
    func files(of worker: ScriptWorker) -> [String: SourceStamp] {
        guard case .file(let path) = self else { return [:] }
        let stamps = ([path] + modules(of: worker)).compactMap { path in SourceStamp(path).map { (path, $0) } }
        return Dictionary(stamps, uniquingKeysWith: { first, _ in first })
    }

    private func modules(of worker: ScriptWorker) -> [String] {
        let stack = worker.state.stack
        guard (try? worker.state.load(Self.modules, named: "=modules")) != nil else { return [] }
        defer { stack.pop() }
        guard rh_protected_call(stack.thread, 0, 1) == 0, let text = stack.string(at: stack.count) else {
            return []
        }
        return text.split(separator: "\n").map(String.init)
    }
}
