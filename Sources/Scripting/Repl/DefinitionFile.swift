/// What the Lua language server is told of the API.
package enum DefinitionFile {
    /// nil if it is not there.
    package static var text: String? {
        StandardLibrary.directory.flatMap { try? ScriptText.read($0 + "/replhost/meta/replhost.lua") }
    }
}
