/// One statement of a pipeline.
package struct PipelineStatement: Sendable, Equatable {
    package var sql: String
    package var parameters: [Parameter]

    package init(_ sql: String, _ parameters: [Parameter] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}
