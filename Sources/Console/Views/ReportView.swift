/// What a command prints, in its two forms.
protocol ReportView {
    /// One document.
    var json: String { get }
    /// For people; every line with its line break.
    func text(_ palette: Palette) -> String
}
